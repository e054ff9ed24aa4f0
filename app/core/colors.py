"""The palette that people with colour-blindness can tell apart."""

Rgb = tuple[int, int, int]

# Okabe and Ito (2008), without black: RGB, 0 to 255.
OKABE_ITO: tuple[Rgb, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
