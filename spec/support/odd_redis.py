"""Servers that are no proper Redis, on a free port of the loopback interface. Prints "port N".

  python3 odd_redis.py says HEX*N     sends these bytes, N times, to each connection when it has received something
  python3 odd_redis.py random SEED    sends random bytes and parts of replies, and closes some connections
  python3 odd_redis.py deaf           never accepts: further connections are never made
"""
import random
import socket
import sys
import threading
import time

PARTS = [b"*", b"$", b"+", b"-", b":", b"\r\n", b"0", b"1", b"-1", b"3", b"*2\r\n", b"$5\r\nhello\r\n", b":7\r\n",
         b"*-1\r\n", b"$-1\r\n", b"*1\r\n" * 50, b"9" * 25, b"$99999999999\r\n", b"*1000000\r\n", b"+OK\r\n",
         b"-ERR no\r\n", b"%1\r\n", b"~2\r\n", b">2\r\n", b"#t\r\n", b",1.5\r\n", b"(12345678901234567890\r\n",
         b"=15\r\ntxt:Some string\r\n", b"_\r\n", b"|1\r\n"]


def said(argument):
    text, _, times = argument.partition("*")
    return bytes.fromhex(text) * int(times or 1)


def random_bytes(source):
    parts = []
    for _ in range(source.randint(1, 12)):
        parts.append(source.choice(PARTS) if source.random() < 0.9 else bytes([source.randrange(256)]))
    return b"".join(parts)


def serve(peer, how, argument, number):
    source = random.Random("%s-%d" % (argument, number))
    try:
        while peer.recv(65536):
            peer.sendall(said(argument) if how == "says" else random_bytes(source))
            if how == "random" and source.random() < 0.3:
                break
    except OSError:
        pass
    peer.close()


def main():
    how = sys.argv[1]
    argument = sys.argv[2] if len(sys.argv) > 2 else ""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", 0))
    server.listen(0 if how == "deaf" else 128)
    port = server.getsockname()[1]
    if how == "deaf":
        waiting = []
        for _ in range(8):  # the kernel accepts a few by itself
            each = socket.socket()
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
            waiting.append(each)
        time.sleep(0.2)
    print("port %d" % port, flush=True)
    number = 0
    while how != "deaf":
        peer, _ = server.accept()
        number += 1
        threading.Thread(target=serve, args=(peer, how, argument, number), daemon=True).start()
    time.sleep(3600)


main()
