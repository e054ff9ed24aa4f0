"""What a pixel is looked up by, and how."""

from torch import Tensor, nn


class KeyProjection(nn.Module):
    """Keys, shrinkage and selection for the anisotropic L2 similarity of XMem."""

    def __init__(self, width_in: int, width: int, key_dim: int) -> None:
        super().__init__()
        self.pix_feat_proj = nn.Conv2d(width_in, width, kernel_size=1)
        self.key_proj = nn.Conv2d(width, key_dim, kernel_size=3, padding=1)
        self.d_proj = nn.Conv2d(width, 1, kernel_size=3, padding=1)
        self.e_proj = nn.Conv2d(width, key_dim, kernel_size=3, padding=1)
        nn.init.orthogonal_(self.key_proj.weight)

    def forward(self, f16: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map (B, C, h, w) to key (B, D, h, w), shrinkage (B, 1, h, w) >= 1, selection 0 to 1."""
        x = self.pix_feat_proj(f16)
        shrinkage: Tensor = self.d_proj(x).square() + 1
        return self.key_proj(x), shrinkage, self.e_proj(x).sigmoid()
