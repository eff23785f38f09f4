"""Reads texts by Python's json, for compare.lua: compare.py [integers].

Input: for each text its length on a line, then its bytes. Output, in the same format: the reason for a refusal; or "="
and the value ("~" if a string in it has half of a surrogate pair); or "!" and what a stricter reader refuses. Equal
values are written as equal bytes. Hooks implement the policy of cekura: a number that Lua cannot represent is its
digits, a null in an object is left out, half of a surrogate pair is U+FFFD.
"""
import json
import re
import sys

INTEGERS = "integers" in sys.argv[1:]
DEPTH = 512
LEAST, MOST = (-2**63, 2**63 - 1) if INTEGERS else (-2**53, 2**53)


class Strict(Exception):
    pass


def constant(name):
    raise Strict(name)


def whole(digits):
    value = int(digits) if len(digits) <= 20 else MOST + 1
    return value if LEAST <= value <= MOST else digits


def real(digits):
    value = float(digits)
    return digits if value in (float("inf"), float("-inf")) else value


HALF = re.compile("[\ud800-\udfff]")


class Reader:
    def __init__(self):
        self.half = False
        self.decoder = json.JSONDecoder(strict=True, parse_constant=constant, parse_int=whole, parse_float=real,
                                        object_pairs_hook=self.pairs)

    def mended(self, value):
        """Replaces each half of a pair by U+FFFD. pairs() has done that in objects."""
        if isinstance(value, str) and HALF.search(value):
            self.half = True
            return HALF.sub("\ufffd", value)
        return [self.mended(item) for item in value] if isinstance(value, list) else value

    def pairs(self, pairs):
        return {self.mended(name): self.mended(value) for name, value in pairs}

    def read(self, text):
        self.half = False
        # json.loads would skip a byte order mark, and read UTF-16; decode() accepts space around the value
        return self.mended(self.decoder.decode(text))


def depth_of(text):
    """The depth of a valid JSON text."""
    depth = deepest = 0
    for sign in re.findall(r"[\[\]{}]", re.sub(r'"(?:[^"\\]|\\.)*"', "", text)):
        depth += 1 if sign in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def written(value, parts):
    if value is None:
        parts.append(b"z")
    elif isinstance(value, bool):
        parts.append(b"t" if value else b"f")
    elif isinstance(value, int) and INTEGERS:
        parts.append(b"i%d" % value)
    elif isinstance(value, (int, float)):
        parts.append(b"n%.99g" % float(value))
    elif isinstance(value, str):
        data = value.encode()
        parts.append(b"s%d:%s" % (len(data), data))
    elif isinstance(value, list):
        parts.append(b"[")
        for item in value:
            written(item, parts)
        parts.append(b"]")
    else:
        parts.append(b"{")
        for name, item in sorted((name.encode(), item) for name, item in value.items() if item is not None):
            parts.append(b"s%d:%s" % (len(name), name))
            written(item, parts)
        parts.append(b"}")


def verdict(reader, data):
    try:
        text = data.decode("utf-8", "strict")
    except UnicodeDecodeError:
        return b"UTF-8"
    try:
        value = reader.read(text)
    except RecursionError:
        return b"recursion"
    except (Strict, json.JSONDecodeError) as error:
        return str(error).encode("utf-8", "replace")
    if depth_of(text) > DEPTH:
        return b"!depth"
    parts = [b"~" if reader.half else b"="]
    written(value, parts)
    return b"".join(parts)


def main():
    sys.setrecursionlimit(5000)  # for reading and for written()
    reader = Reader()
    given, out = sys.stdin.buffer, sys.stdout.buffer
    for line in given:
        answer = verdict(reader, given.read(int(line)))
        out.write(b"%d\n%s" % (len(answer), answer))


main()
