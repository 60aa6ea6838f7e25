"""A browser without JavaScript, for scenarios: keeps cookies, reads forms, follows redirects, and fails loudly.

    browser = Browser('http://127.0.0.1:8080')
    page = browser.get('/enrol')
    page = page.submit({'name': 'Amal Example'}, button='Continue')
    assert page.status == 200 and 'Check your phone' in page.text
"""
import html.parser
import http.client
import http.cookies
import urllib.parse

VOID = {'area', 'base', 'br', 'col', 'embed', 'hr', 'img', 'input', 'link', 'meta', 'source', 'track', 'wbr'}


class Form:
    """One form of a page: where it goes and what it would send untouched."""

    def __init__(self, action, method):
        self.action, self.method = action, method.upper()
        self.fields = []    # [name, value] as they would be sent
        self.choices = {}   # name -> list of values of radios, checks and options
        self.buttons = []   # (name, value, text)
        self.names = set()  # every name a control has


class _Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.forms, self.links, self.words, self.title = [], [], [], ''
        self.form = self.select = self.area = self.button = self.link = None
        self.in_title = self.hidden = False
        self.option_chosen = False
        self.elements = []  # (tag, attributes) in order

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.elements.append((tag, attributes))
        if tag == 'form':
            self.form = Form(attributes.get('action', ''), attributes.get('method', 'get'))
            self.forms.append(self.form)
        elif tag in ('script', 'style'):
            self.hidden = True
        elif tag == 'title':
            self.in_title = True
        elif tag == 'a' and 'href' in attributes:
            self.link = [attributes['href'], '']
            self.links.append(self.link)
        if self.form is not None:
            self._control(tag, attributes)

    def _control(self, tag, attributes):
        name = attributes.get('name')
        if name:
            self.form.names.add(name)
        if tag == 'input' and name:
            kind = attributes.get('type', 'text')
            value = attributes.get('value', 'on' if kind in ('checkbox', 'radio') else '')
            if kind in ('checkbox', 'radio'):
                self.form.choices.setdefault(name, []).append(value)
                if 'checked' in attributes:
                    self.form.fields.append([name, value])
            elif kind in ('submit', 'image'):
                self.form.buttons.append([name, value, value])
            else:
                self.form.fields.append([name, value or ''])
        elif tag == 'textarea' and name:
            self.area = [name, '']
        elif tag == 'select' and name:
            self.select, self.option_chosen = name, False
            self.form.choices.setdefault(name, [])
        elif tag == 'option' and self.select:
            value = attributes.get('value', '')
            if not self.form.choices[self.select] or 'selected' in attributes:
                self.form.fields = [field for field in self.form.fields if field[0] != self.select or self.option_chosen]
                self.form.fields.append([self.select, value])
                self.option_chosen = 'selected' in attributes
            self.form.choices[self.select].append(value)
        elif tag == 'button':
            self.button = [name, attributes.get('value', ''), '']
            self.form.buttons.append(self.button)

    def handle_endtag(self, tag):
        if tag == 'form':
            self.form = None
        elif tag == 'textarea' and self.area and self.form is not None:
            self.form.fields.append([self.area[0], self.area[1].removeprefix('\n')])
            self.area = None
        elif tag == 'select':
            self.select = None
        elif tag == 'button':
            self.button = None
        elif tag == 'a':
            self.link = None
        elif tag == 'title':
            self.in_title = False
        elif tag in ('script', 'style'):
            self.hidden = False

    def handle_data(self, data):
        if self.area is not None:
            self.area[1] += data
            return
        if self.in_title:
            self.title += data
        if self.button is not None:
            self.button[2] += data
        if self.link is not None:
            self.link[1] += data
        if not self.hidden:
            self.words.append(data)


class Page:
    """An answer: status, headers, text, and the forms and links in it."""

    def __init__(self, browser, url, status, headers, body):
        self.browser, self.url, self.status, self.headers, self.body = browser, url, status, headers, body
        self.source = body.decode('utf-8', 'replace')
        reader = _Reader()
        if 'html' in headers.get('content-type', ''):
            reader.feed(self.source)
        self.forms, self.title, self.elements = reader.forms, reader.title.strip(), reader.elements
        self.links = [(href, ' '.join(text.split())) for href, text in reader.links]
        self.text = ' '.join(' '.join(reader.words).split())

    def form(self, having=None, action=None, button=None):
        """The only POST form, or the one that has a control (or an action part, or a button) of that name. Signing out is in every page's head."""
        found = [form for form in self.forms if form.method == 'POST'
                 and (having is None or having in form.names)
                 and (action in form.action if action else not form.action.startswith('/sign-out'))
                 and (button is None or any(button in (one[0], one[1]) or button in ' '.join(one[2].split()) for one in form.buttons))]
        if len(found) != 1:
            raise AssertionError(f'{self.url}: {len(found)} forms with {having or action or "POST"}: '
                                 f'{[(form.action, sorted(form.names)) for form in self.forms]}\n{self.text[:2000]}')
        return found[0]

    def submit(self, values=None, button=None, having=None, action=None, follow=True):
        """Fills the form (a list value sends the name several times, None leaves it out) and posts it."""
        form = self.form(having, action, button)
        values = values or {}
        unknown = [name for name in values if name not in form.names]
        if unknown:
            raise AssertionError(f'{self.url}: the form has no {unknown}; it has {sorted(form.names)}')
        fields = [(name, value) for name, value in form.fields if name not in values]
        for name, value in values.items():
            for one in value if isinstance(value, (list, tuple)) else [value]:
                if one is not None:
                    fields.append((name, str(one)))
        if button is not None:
            pressed = [one for one in form.buttons if button in (one[0], one[1]) or button in ' '.join(one[2].split())]
            if not pressed:
                raise AssertionError(f'{self.url}: no button {button}: {form.buttons}')
            if pressed[0][0]:
                fields.append((pressed[0][0], pressed[0][1]))
        target = urllib.parse.urljoin(self.url, form.action or self.url)
        return self.browser.post(target, fields, follow=follow)

    def link(self, part):
        """The address of the first link whose address or text contains `part`."""
        for href, text in self.links:
            if part in href or part in text:
                return href
        raise AssertionError(f'{self.url}: no link with {part!r}: {self.links}')

    def follow(self, part):
        return self.browser.get(urllib.parse.urljoin(self.url, self.link(part)))

    def expect(self, *words, status=200):
        """Asserts the status and that all words are in the visible text; returns the page."""
        if self.status != status:
            raise AssertionError(f'{self.url}: {self.status}, not {status}\n{self.text[:3000]}')
        for word in words:
            if word not in self.text:
                raise AssertionError(f'{self.url}: {word!r} is not in the page:\n{self.text[:3000]}')
        return self


class Browser:
    """One person's browser. `base` is the server; other origins are refused. `source` is the client address that the
    proxy in front would tell."""

    def __init__(self, base, language='en', source=None):
        self.base, self.language, self.cookies = base.rstrip('/'), language, {}
        self.headers = {'X-Forwarded-For': source} if source else {}

    def request(self, method, url, body=None, headers=None):
        parts = urllib.parse.urlsplit(urllib.parse.urljoin(self.base + '/', url))
        base = urllib.parse.urlsplit(self.base)
        path = urllib.parse.urlunsplit(('', '', parts.path or '/', parts.query, ''))
        if parts.netloc != base.netloc:
            raise AssertionError(f'{url} leads to another origin than {self.base}')
        connection = http.client.HTTPConnection(base.hostname, base.port, timeout=60)
        sent = {'Accept-Language': self.language, **self.headers, **(headers or {})}
        if self.cookies:
            sent['Cookie'] = '; '.join(f'{name}={value}' for name, value in self.cookies.items())
        connection.request(method, path, body=body, headers=sent)
        answer = connection.getresponse()
        content = answer.read()
        for name, value in answer.getheaders():
            if name.lower() == 'set-cookie':
                for key, morsel in http.cookies.SimpleCookie(value).items():
                    if morsel['max-age'] == '0' or not morsel.value:
                        self.cookies.pop(key, None)
                    else:
                        self.cookies[key] = morsel.value
        connection.close()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Page(self, self.base + path, answer.status, found, content)

    def get(self, url, follow=True):
        return self._follow(self.request('GET', url), follow)

    def post(self, url, fields, follow=True):
        body = urllib.parse.urlencode(list(fields.items()) if isinstance(fields, dict) else list(fields)).encode()
        return self._follow(self.request('POST', url, body, {'Content-Type': 'application/x-www-form-urlencoded', 'Origin': self.base}), follow)

    def _follow(self, page, follow):
        for _ in range(10):
            if not follow or page.status not in (301, 302, 303, 307, 308):
                return page
            page = self.request('GET', urllib.parse.urljoin(page.url, page.headers['location']))
        raise AssertionError(f'{page.url}: too many redirects')
