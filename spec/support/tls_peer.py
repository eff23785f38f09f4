"""The other end of a connection in specs of TLS and of proxies. It listens on a port of the loopback interface, prints
"port N", and then a line for each thing that it sees.

  tls_peer.py serve   answers each request with "{}"
  tls_peer.py proxy   a proxy of HTTP: tunnels for CONNECT, any other request is answered with "{}"
  tls_peer.py socks   a proxy of SOCKS 5 that lets nobody through
  tls_peer.py mute    accepts connections and says nothing
  tls_peer.py cut     ends them when it has read something; "reset": by a reset

  --at HOST:PORT the address to listen at; 127.0.0.1 and a free port
  --cert FILE    speaks TLS, with that certificate and its key beside it (.key for .pem)
  --ask FILE     demands a certificate of the client, by an authority of that file
  --newest 1.1   speaks no newer TLS than that
  --answer N     what a proxy answers to everybody: a status of HTTP, or a reply code of SOCKS ("none": it takes no way of
                 authentication; "user": it takes no user)
  --line N       what a proxy answers to CONNECT has a header of so many bytes
"""
import argparse
import select
import socket
import ssl
import struct
import threading
import warnings

warnings.simplefilter("ignore")  # of old versions of TLS
parser = argparse.ArgumentParser()
parser.add_argument("role", choices=["serve", "proxy", "socks", "mute", "cut", "reset"])
parser.add_argument("--at", default="127.0.0.1:0")
for name in "--cert", "--ask", "--newest", "--answer":
    parser.add_argument(name)
parser.add_argument("--line", type=int, default=1)
options = parser.parse_args()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


def make_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.cert, options.cert.replace(".pem", ".key"))
    if options.ask:
        context.load_verify_locations(options.ask)
        context.verify_mode = ssl.CERT_REQUIRED
    if options.newest:
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = getattr(ssl.TLSVersion, "TLSv" + options.newest.replace(".", "_"))
    return context


def read_head(peer):
    head = b""
    while b"\r\n\r\n" not in head:
        piece = peer.recv(65536)
        if not piece:
            return None
        head += piece
    return head.decode("latin-1")


def relay(one, other):
    while True:
        ready = [peer for peer in (one, other) if isinstance(peer, ssl.SSLSocket) and peer.pending()]
        for peer in ready or select.select([one, other], [], [])[0]:
            piece = peer.recv(65536)
            if not piece:
                return
            try:
                (other if peer is one else one).sendall(piece)
            except OSError:  # the one that listens no more may have said why
                pass


def serve(peer):
    while True:
        head = read_head(peer)
        if head is None:
            return
        print("request " + head.split("\r\n")[0], flush=True)
        peer.sendall(ANSWER)


def tunnel(peer):
    head = read_head(peer)
    if head is None:
        return
    first = head.split("\r\n")[0]
    print("proxy " + first, flush=True)
    method, target = first.split(" ")[:2]
    if options.answer:
        peer.sendall(f"HTTP/1.1 {options.answer} No\r\nContent-Length: 0\r\n\r\n".encode())
    elif method != "CONNECT":
        peer.sendall(ANSWER)
    else:
        host, port = target.rsplit(":", 1)
        with socket.create_connection((host.strip("[]"), int(port))) as other:
            peer.sendall(b"HTTP/1.1 200 Connected\r\nX-A: " + b"a" * options.line + b"\r\n\r\n")
            relay(peer, other)


def refuse_socks(peer):
    peer.recv(262)
    print("socks", flush=True)
    if options.answer == "none":
        peer.sendall(b"\x05\xff")
    elif options.answer == "user":
        peer.sendall(b"\x05\x02")
        peer.recv(513)
        peer.sendall(b"\x01\x01")
    else:
        peer.sendall(b"\x05\x00")
        peer.recv(262)
        peer.sendall(bytes([5, int(options.answer), 0, 1, 0, 0, 0, 0, 0, 0]))
    peer.recv(1)


def keep_mute(peer):
    while peer.recv(65536):
        pass


def cut(peer):
    peer.recv(65536)
    if options.role == "reset":
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


ROLES = {"cut": cut, "reset": cut, "serve": serve, "proxy": tunnel, "socks": refuse_socks, "mute": keep_mute}


def talk(peer):
    try:
        peer.settimeout(60)
        if options.cert:
            peer = context.wrap_socket(peer, server_side=True)
        ROLES[options.role](peer)
    except OSError as error:
        print("error", error, flush=True)
    finally:
        peer.close()


context = make_context() if options.cert else None
host, port = options.at.split(":")
listener = socket.create_server((host, int(port)))
print("port", listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()
