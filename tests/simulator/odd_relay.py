#!/usr/bin/env python3
"""A mail relay with the habits of real ones, for the mail channel's test: STARTTLS and AUTH wanted, PIPELINING or SMTPUTF8 missing, odd answers.

    odd_relay.py FOLDER [--starttls | --implicit] [--auth USER:PASSWORD] [--no-pipelining] [--no-smtputf8] [--mails-per-connection N]

The certificate is made in FOLDER (ca.pem) and holds for `localhost`. Says "port N", then one line for each mail taken:
"mail TLS USER FROM TO PARAMETERS". Recipients' local parts say what goes wrong: see ODD.
"""
import argparse
import asyncio
import base64
import os
import pathlib
import re
import ssl
import subprocess
import sys

# What the relay does: at RCPT, at DATA, at the dot.
ODD = {
    'nobody': {'RCPT': '550-5.1.1 The mailbox that you\r\n550 5.1.1 wrote to: user unknown'},
    'ask-anyway': {'RCPT': '550 5.1.1 user unknown', 'DATA': '354 go on all the same', 'DOT': '554 5.5.1 no valid recipients'},
    'not-now': {'DATA': '451 4.3.0 not now'},
    'spam': {'DOT': '554 5.7.1 spam'},
    'slow-down': {'DOT': '450 4.7.1 too fast'},
    'closing': {'RCPT': '421 4.3.2 closing'},
    'closing-at-dot': {'DOT': '421 4.3.2 closing'},
    'cut-at-data': {'DATA': None},
    'cut-in-mail': {'MAIL': None},
    'cut-at-dot': {'DOT': None},
    'hang': {'DOT': 'HANG'},
    'babble': {'RCPT': 'what?'},
}


def make_certificate(folder):
    key, certificate = folder / 'key.pem', folder / 'ca.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost',
                    '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


class Session:
    def __init__(self, options, context, reader, writer):
        self.options, self.context, self.reader, self.writer = options, context, reader, writer
        self.secure, self.user, self.sender, self.parameters, self.recipient, self.mails = options.implicit, '-', None, '', None, 0

    async def say(self, line):
        self.writer.write(line.encode() + b'\r\n')

    async def run(self):
        await self.say('220 odd.example ESMTP')
        while True:
            line = await self.reader.readline()
            if self.options.no_pipelining and self.reader._buffer:  # pylint: disable=protected-access
                print('pipelined', flush=True)  # another command before our answer: not allowed here
            if not line or not await self.command(line.decode('utf-8', 'replace').rstrip('\r\n')):
                break
        self.writer.close()

    def odd(self, step, answer):
        local = (self.recipient or '').split('@')[0]
        return ODD.get(local, {}).get(step, answer)

    def offers(self):
        words = ['odd.example', '8BITMIME', 'SIZE 10000000']
        words += [] if self.options.no_pipelining else ['PIPELINING']
        words += [] if self.options.no_smtputf8 else ['SMTPUTF8']
        if self.context and not self.secure:
            words.append('STARTTLS')
        elif self.options.auth:
            words.append('AUTH PLAIN')
        return '\r\n'.join(f'250{"-" if i + 1 < len(words) else " "}{word}' for i, word in enumerate(words))

    async def command(self, line):
        verb = line[:4].upper()
        if verb == 'EHLO':
            await self.say(self.offers())
        elif verb == 'STAR':
            await self.say('220 go')
            await self.writer.drain()
            await self.writer.start_tls(self.context)
            self.secure = True
        elif verb == 'AUTH':
            return await self.login(line)
        elif verb == 'MAIL':
            return await self.mail(line)
        elif verb == 'RCPT':
            self.recipient = re.search('<(.*)>', line).group(1)
            return await self.answer('RCPT', '250 2.1.5 ok')
        elif verb == 'DATA':
            return await self.data()
        elif verb == 'RSET':
            self.sender = self.recipient = None
            await self.say('250 ok')
        elif verb == 'QUIT':
            await self.say('221 bye')
            return False
        else:
            await self.say('502 unknown')
        return True

    async def login(self, line):
        word = line.split()[2] if len(line.split()) > 2 else None
        if word is None:
            await self.say('334 ')
            word = (await self.reader.readline()).decode().strip()
        _, user, password = base64.b64decode(word).decode().split('\0')
        good = f'{user}:{password}' == self.options.auth
        self.user = user if good else '-'
        await self.say('235 welcome' if good else '535 5.7.8 wrong')
        return True

    async def mail(self, line):
        if self.sender is not None:
            await self.say('503 5.5.1 nested MAIL')
        elif self.options.auth and self.user == '-':
            await self.say('530 5.7.0 authentication required')
        else:
            self.sender, self.parameters = re.search('<(.*)> ?(.*)', line).groups()
            await self.say('250 2.1.0 ok')
        return True

    async def answer(self, step, usual):
        line = self.odd(step, usual)
        if line is not None:
            await self.say(line)
        if line is None or not line.startswith(('250', '354')):
            if step == 'RCPT' and 'DATA' not in ODD.get((self.recipient or '').split('@')[0], {}):
                self.recipient = None
        return line is not None and not line.startswith('421')

    async def data(self):
        if self.recipient is None:
            await self.say('503 5.5.1 RCPT first')
            return True
        if not await self.answer('DATA', '354 go on'):
            return False
        if not self.odd('DATA', '354').startswith('354'):
            return True
        if self.odd('MAIL', '') is None:
            await self.reader.read(20)
            return False
        content = []
        while (line := await self.reader.readline()) != b'.\r\n':
            if not line:
                return False
            content.append(line)
        answer = self.odd('DOT', '250 2.0.0 taken')
        if answer == 'HANG':
            await asyncio.sleep(3600)
        if (answer or '').startswith('250'):
            self.mails += 1
            print('mail', 'tls' if self.secure else 'plain', self.user, self.sender or '-', self.recipient, self.parameters or '-', flush=True)
            if self.options.mails_per_connection and self.mails >= self.options.mails_per_connection:
                await self.say(answer + '\r\n421 4.7.0 enough for one connection')
                return False
        alive = await self.answer('DOT', '250 2.0.0 taken')
        self.sender = self.recipient = None
        return alive


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('folder', type=pathlib.Path)
    for name in ('starttls', 'implicit', 'no-pipelining', 'no-smtputf8'):
        parser.add_argument('--' + name, action='store_true')
    parser.add_argument('--auth')
    parser.add_argument('--mails-per-connection', type=int, default=0)
    options = parser.parse_args()
    context = make_certificate(options.folder) if options.starttls or options.implicit else None

    async def serve(reader, writer):
        try:
            await Session(options, context, reader, writer).run()
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            writer.close()
    server = await asyncio.start_server(serve, '127.0.0.1', 0, ssl=context if options.implicit else None)
    print('port', server.sockets[0].getsockname()[1], flush=True)
    # The end of the test is the end of its pipe.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)  # whatever connections still stand

asyncio.run(main())
