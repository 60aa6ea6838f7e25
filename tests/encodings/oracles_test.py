#!/usr/bin/env python3
"""Our encodings and PDUs against other people's programs: npm's smpp for its languages, libosmocore and Gammu for the default
alphabet and packing, libsmpp34 for the framing of PDUs and TLVs. Usage: oracles_test.py BUILD_FOLDER"""
import ctypes
import json
import os
import random
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = sys.argv.pop(1) if len(sys.argv) > 1 else "build"
GSM7, UCS2 = 0, 1
SUBMIT_SM, DELIVER_SM, DATA_SM = 0x04, 0x05, 0x103


class Ours:
    """build/encodings_test answering lines; see answer.h."""

    def __init__(self):
        self.process = subprocess.Popen([os.path.join(BUILD, "encodings_test"), "answer"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().split()

    def octets(self, text, languages=0):
        """Encoding, (locking, single), and the octets of a text of one part, without its header."""
        words = self.ask("split", languages, text.encode().hex() or "-")
        octets = bytes.fromhex(words[5])
        if int(words[3]) & 0x40:
            octets = octets[octets[0] + 1:]
        return int(words[0]), (int(words[1]), int(words[2])), octets

    def read(self, octets, locking=0, single=0):
        words = self.ask("read", locking << 8 | single << 16, octets.hex() or "-")
        return "" if words == ["-"] else bytes.fromhex(words[0]).decode()

    def packed(self, septets, fill=0):
        return bytes.fromhex(self.ask("pack", fill, septets.hex())[0])

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()


class WithOurs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ours = Ours()

    @classmethod
    def tearDownClass(cls):
        cls.ours.close()


class NodeSmpp(WithOurs):
    """Turkish (1), Spanish (2), Portuguese (3) and the default alphabet (0)."""

    def setUp(self):
        self.tables = json.loads(subprocess.run(["node", os.path.join(HERE, "node_smpp.mjs")], check=True,
                                                capture_output=True, text=True).stdout)

    def test_locking_tables(self):
        for language in range(4):
            locking = 0 if language == 2 else language
            for septet, character in self.tables[str(language)]["locking"].items():
                self.assertEqual(self.ours.read(bytes([int(septet)]), locking), character, (language, septet))

    def test_single_shift_tables(self):
        compared = 0
        for language in range(4):
            locking = 0 if language == 2 else language
            for septet, character in self.tables[str(language)]["single"].items():
                self.assertEqual(self.ours.read(bytes([0x1B, int(septet)]), locking, language), character, (language, septet))
                compared += 1
        self.assertEqual(compared, 10 + 17 + 19 + 37)

    def test_their_octets_read_as_their_text(self):
        compared = 0
        for language in range(4):
            locking = 0 if language == 2 else language
            for character, octets in self.tables[str(language)]["encoded"].items():
                if octets == [0x20] and character != " ":
                    continue  # it decodes but does not encode the character
                self.assertEqual(self.ours.read(bytes(octets), locking, language), character, (language, character))
                compared += 1
        self.assertGreater(compared, 500)


class Osmocore(WithOurs):
    """The default alphabet as far as Latin-1 goes, its extension, and packing with fill bits."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.library = ctypes.CDLL("libosmogsm.so.18")

    def septets(self, text):
        out = ctypes.create_string_buffer(512)
        length = self.library.gsm_septet_encode(out, text.encode("latin-1"))
        return out.raw[:length]

    def test_characters(self):
        same, lacking, different = 0, "", {}
        for code in list(range(0x20, 0x7F)) + list(range(0xA0, 0x100)) + [10, 13]:
            encoding, _, ours = self.ours.octets(chr(code))
            if encoding != GSM7:
                continue
            theirs = self.septets(chr(code))
            if theirs == ours:
                same += 1
            elif theirs == b"\xff":
                lacking += chr(code)
            else:
                different[chr(code)] = theirs.hex()
        # two of its own, in which the standard, both transcriptions, Gammu and npm's smpp say as we do
        self.assertEqual((same, lacking, different), (122, "\u00A4", {"\u00A7": "7b", "\u00BF": "7c"}))

    def test_packing(self):
        rand = random.Random(23038)
        for length in range(1, 160):
            septets = bytes(rand.randrange(128) for _ in range(length))
            for padding in (0, 1, 3, 6):
                out = ctypes.create_string_buffer(256)
                octets = self.library.gsm_septet_pack(out, septets, ctypes.c_size_t(length), ctypes.c_uint8(padding))
                self.assertEqual(self.ours.packed(septets, padding), out.raw[:octets], (length, padding))


class Gammu(WithOurs):
    """The whole default alphabet with Greek and the euro sign, both ways."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.library = ctypes.CDLL("libGammu.so.8")

    def encoded(self, text):
        """Gammu takes UCS-2 with a final NUL and the length in characters."""
        length = ctypes.c_size_t(len(text))
        out = ctypes.create_string_buffer(1024)
        self.library.EncodeDefault(out, text.encode("utf-16-be") + b"\0\0", ctypes.byref(length), 1, None)
        return out.raw[:length.value]

    def test_every_character(self):
        compared = 0
        for escaped in (False, True):
            for septet in range(128):
                octets = bytes([0x1B, septet] if escaped else [septet])
                character = self.ours.read(octets)
                if septet == 0x1B or (escaped and character == self.ours.read(bytes([septet]))):
                    continue
                if character in "\f\u00C7":
                    continue  # it has no form feed, and the small letter at 0x09
                self.assertEqual(self.encoded(character), octets, (escaped, septet, character))
                compared += 1
        self.assertEqual(compared, 126 + 9)

    def test_texts(self):
        rand = random.Random(338)
        # it has a small letter at 0x09 and writes LF as CR LF
        alphabet = [self.ours.read(bytes([s])) for s in range(128) if s not in (0x1B, 0x09, 0x0A, 0x0D)]
        alphabet += list("^{}\\[~]|\u20AC")
        for _ in range(200):
            text = "".join(rand.choice(alphabet) for _ in range(rand.randrange(1, 70)))
            encoding, _, ours = self.ours.octets(text)
            self.assertEqual(encoding, GSM7)
            self.assertEqual(ours, self.encoded(text), text)


class TlvValue(ctypes.Union):
    _fields_ = [("val08", ctypes.c_uint8), ("val16", ctypes.c_uint16), ("val32", ctypes.c_uint32),
                ("octet", ctypes.c_uint8 * 1024)]


class Tlv(ctypes.Structure):
    pass


Tlv._fields_ = [("tag", ctypes.c_uint16), ("length", ctypes.c_uint16), ("value", TlvValue), ("next", ctypes.POINTER(Tlv))]

U8, U32 = ctypes.c_uint8, ctypes.c_uint32
HEADER = [("command_length", U32), ("command_id", U32), ("command_status", U32), ("sequence_number", U32)]


def addresses(source, destination):
    return [("service_type", U8 * 6), ("source_addr_ton", U8), ("source_addr_npi", U8), ("source_addr", U8 * source),
            ("dest_addr_ton", U8), ("dest_addr_npi", U8), ("destination_addr", U8 * destination), ("esm_class", U8)]


def short(time):
    return [("protocol_id", U8), ("priority_flag", U8), ("schedule_delivery_time", U8 * time), ("validity_period", U8 * time),
            ("registered_delivery", U8), ("replace_if_present_flag", U8), ("data_coding", U8), ("sm_default_msg_id", U8),
            ("sm_length", U8), ("short_message", U8 * 254), ("tlv", ctypes.POINTER(Tlv))]


class SubmitSm(ctypes.Structure):
    _fields_ = HEADER + addresses(21, 21) + short(17)


class DeliverSm(ctypes.Structure):
    _fields_ = HEADER + addresses(21, 21) + short(1)


class DataSm(ctypes.Structure):
    _fields_ = HEADER + addresses(21, 65) + [("registered_delivery", U8), ("data_coding", U8), ("tlv", ctypes.POINTER(Tlv))]


STRUCTURES = {SUBMIT_SM: SubmitSm, DELIVER_SM: DeliverSm, DATA_SM: DataSm}


class Smpp34(WithOurs):
    """submit_sm, deliver_sm and data_sm with random fields and TLVs, byte for byte."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.library = ctypes.CDLL("libsmpp34.so.1")

    @staticmethod
    def fields(rand, command):
        def text(most):
            return bytes(rand.choice(b"0123456789abcXYZ+-") for _ in range(rand.randrange(most + 1)))

        def octets(most):
            return bytes(rand.randrange(256) for _ in range(rand.randrange(1, most + 1)))

        data, submit = command == DATA_SM, command == SUBMIT_SM
        fields = {"service": text(5), "source": text(20), "destination": text(20), "schedule": b"", "validity": b"",
                  "message": b"", "payload": b"", "receipted": b"", "network": b"", "state": 0, "sar": (0, 0, 0)}
        for side in ("source", "destination"):
            fields[side + "_ton"] = rand.randrange(7)
            fields[side + "_npi"] = rand.choice((0, 1, 3, 4, 6, 8, 9, 10, 14, 18))
        for name in ("esm_class", "protocol_id", "priority", "registered", "replace", "data_coding", "default_id"):
            fields[name] = 0 if data and name in ("protocol_id", "priority", "replace", "default_id") else rand.randrange(256)
        if submit:
            fields["schedule"] = rand.choice([b"", b"261124153507028+"])
            fields["validity"] = rand.choice([b"", b"000002000000000R"])
        if not data and rand.randrange(3):
            fields["message"] = octets(253)  # it takes no more, though 254 are allowed (5.2.21)
        elif rand.randrange(2) or data:
            fields["payload"] = octets(1000)
        if rand.randrange(2):
            fields["receipted"] = text(64) or b"1"
        if rand.randrange(2):
            fields["network"] = octets(1) + octets(1) + octets(1)
        if rand.randrange(2):
            fields["state"] = rand.randrange(1, 10)
        if rand.randrange(2):
            number = rand.randrange(1, 256)
            fields["sar"] = (rand.randrange(65536), rand.randrange(number, 256), number)
        return fields

    def theirs(self, command, sequence, f):
        pdu = STRUCTURES[command]()
        pdu.command_id, pdu.sequence_number = command, sequence

        def put(name, value):
            ctypes.memmove(getattr(pdu, name), value, len(value))

        put("service_type", f["service"])
        put("source_addr", f["source"])
        put("destination_addr", f["destination"])
        pdu.source_addr_ton, pdu.source_addr_npi = f["source_ton"], f["source_npi"]
        pdu.dest_addr_ton, pdu.dest_addr_npi = f["destination_ton"], f["destination_npi"]
        pdu.esm_class, pdu.registered_delivery, pdu.data_coding = f["esm_class"], f["registered"], f["data_coding"]
        if command != DATA_SM:
            put("schedule_delivery_time", f["schedule"])
            put("validity_period", f["validity"])
            put("short_message", f["message"])
            pdu.protocol_id, pdu.priority_flag, pdu.sm_length = f["protocol_id"], f["priority"], len(f["message"])
            pdu.replace_if_present_flag, pdu.sm_default_msg_id = f["replace"], f["default_id"]
        tlvs = []
        if f["receipted"]:
            tlvs.append((0x001E, f["receipted"] + b"\0"))
        if f["network"]:
            tlvs.append((0x0423, f["network"]))
        if f["payload"]:
            tlvs.append((0x0424, f["payload"]))
        if f["state"]:
            tlvs.append((0x0427, f["state"]))
        if f["sar"][1]:
            tlvs += [(0x020C, f["sar"][0]), (0x020E, f["sar"][1]), (0x020F, f["sar"][2])]
        kept = []
        for tag, value in reversed(tlvs):
            tlv = Tlv(tag=tag)
            if isinstance(value, bytes):
                tlv.length = len(value)
                ctypes.memmove(tlv.value.octet, value, len(value))
            elif tag == 0x020C:
                tlv.length, tlv.value.val16 = 2, value
            else:
                tlv.length, tlv.value.val08 = 1, value
            if kept:
                tlv.next = ctypes.pointer(kept[-1])
            kept.append(tlv)
        if kept:
            pdu.tlv = ctypes.pointer(kept[-1])
        out, length = ctypes.create_string_buffer(8192), ctypes.c_int(0)
        status = self.library.smpp34_pack2(out, 8192, ctypes.byref(length), ctypes.byref(pdu))
        self.assertEqual(status, 0, ctypes.string_at(ctypes.addressof(ctypes.c_char.in_dll(self.library, "smpp34_strerror"))))
        return out.raw[:length.value]

    def test_framing(self):
        rand = random.Random(34)
        for n in range(600):
            command = rand.choice((SUBMIT_SM, DELIVER_SM, DATA_SM))
            f = self.fields(rand, command)
            sequence = rand.randrange(1, 0x7FFFFFFF)

            def word(value):
                return value.hex() or "-"

            answer = self.ours.ask("message", command, sequence, word(f["service"]), f["source_ton"], f["source_npi"],
                                   word(f["source"]), f["destination_ton"], f["destination_npi"], word(f["destination"]),
                                   f["esm_class"], f["protocol_id"], f["priority"], word(f["schedule"]), word(f["validity"]),
                                   f["registered"], f["replace"], f["data_coding"], f["default_id"], word(f["message"]),
                                   word(f["payload"]), word(f["receipted"]), word(f["network"]), f["state"], *f["sar"])
            self.assertEqual(len(answer), 2, (n, answer))
            self.assertEqual(answer[1], "same")
            self.assertEqual(bytes.fromhex(answer[0]), self.theirs(command, sequence, f), (n, f))


if __name__ == "__main__":
    unittest.main()
