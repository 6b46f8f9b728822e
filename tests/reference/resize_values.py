"""Prints what PIL makes of a small image, resized with BILINEAR (with antialiasing) and cropped in the middle: the tables
of tests/unit/data/test_images.cpp. Needs PIL and NumPy."""
import numpy as np
from PIL import Image


def image(height, width):
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return ((y * 37 + x * 59 + x * y * 11 + c * 83) % 256).astype(np.uint8)


for height, width, shorter, size in ((9, 13, 5, 4), (17, 7, 3, 3), (5, 4, 9, 8)):
    resized = (round(width * shorter / min(height, width)), round(height * shorter / min(height, width)))
    result = np.asarray(Image.fromarray(image(height, width)).resize(resized, Image.BILINEAR))
    top, left = (result.shape[0] - size) // 2, (result.shape[1] - size) // 2
    part = result[top:top + size, left:left + size]
    print(f"{{{height}, {width}, {shorter}, {size}, {{{', '.join(map(str, part.ravel()))}}}}},")
