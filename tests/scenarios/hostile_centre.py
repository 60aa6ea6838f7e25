#!/usr/bin/env python3
# stores: sqlite
"""An SMS centre that breaks the protocol: lengths that lie, a claim of 1 GB, cut-off TLVs, answers to nothing, unbind in the midst of a window.
The program closes or skips, binds again, and everybody hears; who heard twice is marked."""
import collections
import pathlib
import re
import socketserver
import struct
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from chancery import World, store_argument, wait_for  # noqa: E402
from faulty import Run  # noqa: E402

SUBMIT, DELIVER, ENQUIRE, UNBIND, BIND, ANSWER = 4, 5, 0x15, 6, 9, 0x80000000
PEOPLE, EACH = 200, 12


def pdu(command, status, sequence, body=b'', length=None):
    return struct.pack('>IIII', length if length is not None else 16 + len(body), command, status, sequence) + body


# What is sent instead of an answer after EACH submits of a connection; the sequence is that of the last submit.
ATTACKS = [
    ('claims 1 GB', lambda sequence: pdu(SUBMIT | ANSWER, 0, sequence, b'x\0', 1 << 30) + b'\xff' * 4096),
    ('claims 0', lambda sequence: pdu(SUBMIT | ANSWER, 0, sequence, b'', 0)),
    ('claims 15', lambda sequence: pdu(SUBMIT | ANSWER, 0, sequence, b'', 15)),
    ('a TLV that ends nowhere', lambda sequence: pdu(DELIVER, 0, 7, b'\0\1\1' + b'21620000000\0' + b'\0\0' + b'7070\0' + b'\4\0\0\0\0\0\0\0\0\0' + b'\x04\x24\xff\xffid:')),
    ('no end of a C string', lambda sequence: pdu(DELIVER, 0, 8, b'\0' + b'A' * 400)),
    ('answers to nothing', lambda sequence: b''.join(pdu(SUBMIT | ANSWER, 0, wrong, b'none\0') for wrong in (0, sequence + 5000, 0x7fffffff, 0xffffffff))),
    ('a refusal of nothing', lambda sequence: pdu(0x80000000, 3, 0) + pdu(0x80000000, 3, 0x12345678)),
    ('unknown commands', lambda sequence: pdu(0x777, 0, 1, b'?' * 300) + pdu(0x80000777, 9, 2)),
    ('unbind', lambda sequence: pdu(UNBIND, 0, 9)),
]


class Centre(socketserver.ThreadingTCPServer):
    """Takes binds and submits, each connection with the next attack; from the last on it behaves."""

    daemon_threads = allow_reuse_address = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Connection)
        self.lock, self.attacks, self.taken, self.ids, self.done = threading.Lock(), list(ATTACKS), collections.Counter(), 0, []


class Connection(socketserver.BaseRequestHandler):
    def read(self, size):
        data = b''
        while len(data) < size:
            piece = self.request.recv(size - len(data))
            if not piece:
                raise ConnectionError
            data += piece
        return data

    def handle(self):
        centre, attack, submits = self.server, None, 0
        try:
            while True:
                length, command, _, sequence = struct.unpack('>IIII', self.read(16))
                body = self.read(length - 16)
                if command == BIND:
                    with centre.lock:
                        attack = centre.attacks.pop(0) if centre.attacks else None
                    self.request.sendall(pdu(BIND | ANSWER, 0, sequence, b'hostile\0'))
                elif command == ENQUIRE:
                    self.request.sendall(pdu(ENQUIRE | ANSWER, 0, sequence))
                elif command == UNBIND:
                    self.request.sendall(pdu(UNBIND | ANSWER, 0, sequence))
                elif command == SUBMIT:
                    submits += 1
                    self.submitted(body, sequence, attack if submits == EACH else None)
        except (ConnectionError, TimeoutError, OSError):
            pass

    def submitted(self, body, sequence, attack):
        centre = self.server
        with centre.lock:
            centre.ids += 1
            number = centre.ids
            centre.taken['+' + re.search(rb'\0\x01\x01(216\d+)\0', body).group(1).decode()] += 1
        if attack:
            centre.done.append(attack[0])
            self.request.sendall(attack[1](sequence))
            time.sleep(0.3)  # time to read it; most of them the program ends the connection for by itself
            raise ConnectionError
        else:
            self.request.sendall(pdu(SUBMIT | ANSWER, 0, sequence, b'h%d\0' % number))


def main():
    with Centre() as centre:
        threading.Thread(target=centre.serve_forever, daemon=True).start()
        with World(store_argument(), settings={'smpp.port': centre.server_address[1], 'smpp.window': 8}) as world:
            run = Run(world, world.officer(), PEOPLE, {})
            run.bring_in()
            run.send()
            wait_for(lambda: not centre.attacks and len(centre.taken) == PEOPLE, 'everybody heard', 100)
            wait_for(run.alert.settled, 'all settled', 60)
            rows = run.rows()
            assert {state for state, _, _ in rows.values()} == {4}, collections.Counter(state for state, _, _ in rows.values())
            unmarked = [phone for phone, copies in centre.taken.items() if copies > 1 and not rows[phone][2]]
            assert not unmarked, unmarked[:5]
            assert [name for name, _ in ATTACKS] == centre.done, centre.done
            run.alert.sums()
            world.check()
            print(f'hostile_centre: {len(ATTACKS)} attacks, {PEOPLE} heard, {sum(centre.taken.values()) - PEOPLE} copies, each marked')
        centre.shutdown()


if __name__ == '__main__':
    main()
