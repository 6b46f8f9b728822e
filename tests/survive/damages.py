"""Ways to damage the bytes of a file: damage(random, bytes) → bytes."""
import gzip


def somewhere(random, data):
    """Half of the times where there is something: HDF5 files are mostly empty space."""
    at = random.randrange(len(data))
    rest = bytes(data[at:])
    skipped = len(rest) - len(rest.lstrip(b"\0")) if random.random() < 0.5 else 0
    return at if skipped == len(rest) else at + skipped


def flip(random, data):
    data = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 8))):
        data[somewhere(random, data)] ^= 1 << random.randrange(8)
    return bytes(data)


def flip_near_the_start(random, data):
    """Where formats keep their sizes."""
    data = bytearray(data)
    data[random.randrange(min(len(data), 128))] ^= 1 << random.randrange(8)
    return bytes(data)


def truncate(random, data):
    return data[:random.randrange(len(data))]


def empty(random, data):
    return b""


def erase(random, data):
    begin = somewhere(random, data)
    end = min(len(data), begin + random.choice((1, 16, 512, 4096)))
    return data[:begin] + bytes([random.choice((0, 255))]) * (end - begin) + data[end:]


def insert(random, data):
    at = random.randrange(len(data))
    return data[:at] + random.randbytes(random.choice((1, 4, 512))) + data[at:]


def repeat(random, data):
    begin = random.randrange(len(data))
    end = begin + random.choice((1, 64, 1024))
    return data[:end] + data[begin:end] + data[end:]


def foreign(random, data):
    return random.choice((random.randbytes(len(data)), b"no such thing\n" * 10, b"\x89HDF\r\n\x1a\n" + bytes(2000),
                          gzip.compress(b"other"), b"{}", b"\xff\xd8\xff\xe0" + random.randbytes(200)))


DAMAGES = (flip, flip, flip_near_the_start, truncate, empty, erase, insert, repeat, foreign)
