"""Make small libraries that stand for CUDA's in a bundle, which computes on the CPU only.

The index's torch for Linux is linked against 4 GB of CUDA libraries and cannot be loaded without
them, though on the CPU it calls none. A stand-in has the name and the symbols that the loader looks
for, and answers every call with "no device". It needs gcc and binutils where the bundle is made.
"""

import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

# What belongs to CUDA: none of it goes into a bundle.
CUDA = re.compile(
    r"lib(torch_cuda|torch_nvshmem|caffe2_nvrtc|cu[a-z]|nccl|nv[a-zA-Z]|cudnn)[\w.+-]*\.so[.\d]*"
)
_OWN = "torchvision.libs"
_NO_DEVICE = 100  # cudaErrorNoDevice
_TEXTS = {"cudaGetErrorString", "cudaGetErrorName", "cudnnGetErrorString", "ncclGetErrorString"}
# Called to look for an error of an earlier call, of which there is none.
_FINE = {"cudaGetLastError", "cudaPeekAtLastError"}
# What C++ gets: as a reference an empty object, as a truth value no, its last 16 bits being zero.
_CLASS = "_ZTVN10__cxxabiv117__class_type_infoE"
_CONSTRUCTOR = re.compile(r"_Z(N.+)C[12]E.*")
_NOTHING = f"""static void ignore(void) {{}}
extern char {_CLASS}[] __attribute__((weak));
static char nothing[65536] __attribute__((aligned(65536)));"""


Entry = tuple[str, str, str]  # PyInstaller's: where it goes, where it is, what kind


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol that the loader looks for; `size` is that of data, None of a function."""

    name: str
    version: str
    size: int | None


def without_cuda(files: list[Entry]) -> list[Entry]:
    """Return the files of a bundle without CUDA's libraries, and without links to them."""
    return [each for each in files if not _is_cuda(each[0])]


def stand_ins(binaries: list[Entry], folder: Path) -> list[Entry]:
    """Make, in `folder`, what stands for CUDA's libraries among `binaries`; return where it goes.

    That is beside those who need it, which look there: torch, and torchvision with copies of its
    own.
    """
    real = {Path(place).name: Path(source) for place, source, _ in binaries if _is_cuda(place)}
    real = {name: path for name, path in real.items() if path.is_file()}
    kept = [
        Path(source)
        for place, source, _ in binaries
        if place.startswith("torch") and ".so" in place and not _is_cuda(place)
    ]
    homes = {name: "torchvision.libs" for name, path in real.items() if _OWN in path.parts}
    return [
        (f"{homes.get(path.name, 'torch/lib')}/{path.name}", str(path), "BINARY")
        for path in make_stand_ins(kept, real, folder)
    ]


def make_stand_ins(kept: Iterable[Path], real: Mapping[str, Path], folder: Path) -> list[Path]:
    """Write a stand-in for every library in `real` that one of `kept` needs, and return them.

    `real` are the libraries that are left out, by the name that others need them by.
    """
    wanted: dict[str, set[str]] = defaultdict(set)
    needed: set[str] = set()
    given: set[str] = set()  # what others have: C++'s own, of which a library of CUDA has copies
    others: set[str] = set()
    for path in kept:
        for name in _needed(path):
            (needed if name in real else others).add(name)
        for name, version in _undefined(path):
            wanted[name].add(version)
    for path in (*kept, *filter(None, map(_of_the_system, others))):
        given |= _defined(path).keys()
    folder.mkdir(parents=True, exist_ok=True)
    symbols: dict[str, list[Symbol]] = {name: [] for name in sorted(needed)}
    placed: set[str] = set()
    # What is not needed by name is needed by what is: its symbols go with the last stand-in.
    for name in sorted(real, key=lambda each: (each not in needed, each)):
        for found, size in sorted(_defined(real[name]).items()):
            is_new = name in needed or found not in placed
            if found in wanted and found not in given and is_new:
                placed.add(found)
                home = name if name in needed else max(needed)
                symbols[home].append(Symbol(found, max(wanted[found]), size))
    return [_compile(name, each, folder) for name, each in symbols.items()]


def _of_the_system(name: str) -> Path | None:
    found = Path(_output("gcc", f"-print-file-name={name}").strip())
    return found if found.is_absolute() and found.is_file() else None


def _compile(name: str, symbols: list[Symbol], folder: Path) -> Path:
    source, out = folder / f"{name}.c", folder / name
    source.write_text("\n".join([_NOTHING, *map(_definition, symbols)]) + "\n")
    command = ["gcc", "-shared", "-fPIC", "-O1", "-w", "-fno-builtin", "-s"]
    command += [f"-Wl,-soname,{name}", "-o", str(out), str(source)]
    if versions := _version_script(symbols):
        script = folder / f"{name}.map"
        script.write_text(versions)
        command.append(f"-Wl,--version-script={script}")
    subprocess.run(command, check=True)
    return out


def _definition(symbol: Symbol) -> str:
    if symbol.name.startswith("_ZTI"):  # the type of a class, which is known by its name
        return f'void *{symbol.name}[4] = {{{_CLASS} + 16, "{symbol.name[4:]}"}};'
    if symbol.size is not None:
        return f"char {symbol.name}[{max(symbol.size, 8)}] __attribute__((aligned(16)));"
    if symbol.name in _TEXTS:
        return f'const char *{symbol.name}(void) {{ return "no CUDA device"; }}'
    if constructor := _CONSTRUCTOR.fullmatch(symbol.name):
        return _constructed(symbol.name, f"{constructor[1]}E")
    if symbol.name.startswith("_Z"):
        return f"void *{symbol.name}(void) {{ return nothing; }}"
    is_refused = re.match(r"cu[A-Za-z]", symbol.name) and symbol.name not in _FINE
    return f"long {symbol.name}(void) {{ return {_NO_DEVICE if is_refused else 0}; }}"


def _constructed(symbol: str, type_name: str) -> str:
    """Return what makes an object of its class whose virtual functions do nothing."""
    functions = ", ".join(["ignore"] * 64)
    return (
        f'static void *type_{symbol}[4] = {{{_CLASS} + 16, "{type_name}"}};\n'
        f"static void *table_{symbol}[66] = {{0, type_{symbol}, {functions}}};\n"
        f"void {symbol}(void **self) {{ self[0] = table_{symbol} + 2; }}"
    )


def _version_script(symbols: list[Symbol]) -> str:
    by_version: dict[str, list[str]] = defaultdict(list)
    for symbol in symbols:
        by_version[symbol.version].append(symbol.name)
    plain = by_version.pop("", [])
    nodes = [f"{version} {{ {'; '.join(names)}; }};" for version, names in by_version.items()]
    if nodes and plain:
        nodes[0] = nodes[0].replace("{ ", f"{{ {'; '.join(plain)}; ", 1)
    return "\n".join(nodes)


def _needed(path: Path) -> list[str]:
    return re.findall(r"\(NEEDED\).*\[(.+)\]", _output("readelf", "-dW", str(path)))


def _undefined(path: Path) -> Iterator[tuple[str, str]]:
    for line in _output("nm", "-D", "--undefined-only", str(path)).splitlines():
        name, _, version = line.split()[-1].partition("@")
        yield name, version.lstrip("@")


def _defined(path: Path) -> dict[str, int | None]:
    """Return the symbols that a library defines, with the size of those that are data."""
    found: dict[str, int | None] = {}
    for line in _output("nm", "-D", "-S", "--defined-only", str(path)).splitlines():
        *numbers, kind, name = line.split()
        is_data = kind.upper() in {"B", "D", "R", "V", "S", "G"}
        size = int(numbers[-1], 16) if len(numbers) > 1 else 8
        found[name.partition("@")[0]] = size if is_data else None
    return found


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _is_cuda(where: str) -> bool:
    path = Path(where)
    is_ours = path.parts[0] in {"torch", "torchvision.libs"} or len(path.parts) == 1
    return path.parts[0] in {"nvidia", "cuda", "triton"} or bool(
        is_ours and CUDA.fullmatch(path.name) and not path.name.startswith("libcurl")
    )
