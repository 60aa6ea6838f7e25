/* What a person sees: phones and mailboxes, newest first, and forms to answer from them. No script. */
#include "tests/simulator/web.h"

#define LATEST 60

static const char STYLE[] =
	"body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:56rem;padding:.75rem;background:#f4f5f7;color:#16202b}"
	"a{color:#0b4f8a}h1{font-size:1.3rem}h2{font-size:1.1rem;margin:.2rem 0}nav a{margin-inline-end:1rem}"
	".m{background:#fff;border:1px solid #c9d0d8;border-radius:.6rem;padding:.5rem .8rem;margin:.5rem 0;overflow-wrap:anywhere}"
	".m.out{background:#e3f1e4;margin-inline-start:3rem}.t{white-space:pre-wrap;margin:.2rem 0}.w{color:#52606d;font-size:.85rem}"
	"textarea,input[type=text]{width:100%;box-sizing:border-box;font:inherit;padding:.4rem}textarea{min-height:5rem}"
	"button{font:inherit;padding:.4rem 1rem;margin:.4rem .4rem .4rem 0}label{display:block;margin-top:.5rem}"
	"iframe{width:100%;height:24rem;border:1px solid #c9d0d8;background:#fff}";

static void escape(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		switch (s.ptr[i]) {
		case '&':
			buf_add_str(out, S("&amp;"));
			break;
		case '<':
			buf_add_str(out, S("&lt;"));
			break;
		case '>':
			buf_add_str(out, S("&gt;"));
			break;
		case '"':
			buf_add_str(out, S("&quot;"));
			break;
		case '\'':
			buf_add_str(out, S("&#39;"));
			break;
		default:
			buf_add_char(out, s.ptr[i]);
		}
	}
}

static void add(struct buf *out, const char *html)
{
	buf_add_str(out, str_from(html));
}

static bool link_byte(char c)
{
	return (unsigned char)c > ' ' && c != '<' && c != '>' && c != '"';
}

/* Text with its web addresses as links. */
static void linked(struct buf *out, struct str s)
{
	size_t at = 0;
	while (at < s.len) {
		size_t plain = str_find(s, S("http"), at);
		if (plain == SIZE_MAX)
			plain = s.len;
		escape(out, str_slice(s, at, plain));
		struct str rest = str_slice(s, plain, s.len);
		if (!str_starts(rest, S("http://")) && !str_starts(rest, S("https://"))) {
			escape(out, str_slice(rest, 0, 4));
			at = plain + (rest.len < 4 ? rest.len : 4);
			continue;
		}
		size_t end = 0;
		while (end < rest.len && link_byte(rest.ptr[end]))
			end++;
		while (end > 0 && strchr(".,;:!?)", rest.ptr[end - 1]))
			end--;
		struct str link = str_slice(rest, 0, end);
		add(out, "<a target=_blank rel=\"noopener noreferrer\" href=\"");
		escape(out, link);
		add(out, "\">");
		escape(out, link);
		add(out, "</a>");
		at = plain + end;
	}
}

static void head(struct buf *out, struct str title, bool refresh)
{
	add(out, "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">");
	if (refresh)
		add(out, "<meta http-equiv=refresh content=5>");
	add(out, "<title>");
	escape(out, title);
	buf_format(out, "</title><style>%s</style><nav><a href=/>All</a><a href=/?kind=phones>Phones</a><a href=/?kind=mailboxes>Mailboxes</a></nav>", STYLE);
	add(out, "<main><h1 dir=auto>");
	escape(out, title);
	add(out, "</h1>");
}

static void box_link(struct buf *out, const struct store_message *m)
{
	add(out, m->kind == BOX_PHONE ? "<a href=\"/phone/" : "<a href=\"/mailbox/");
	escape(out, m->box);
	add(out, "\"><bdi>");
	escape(out, m->box);
	add(out, "</bdi></a>");
}

static void message(struct buf *out, struct arena *arena, const struct store_message *m, bool with_box)
{
	buf_format(out, "<article class=\"m%s\"><div class=w>", m->sent ? " out" : "");
	if (with_box)
		box_link(out, m);
	add(out, m->sent ? " wrote to <bdi>" : with_box ? " received from <bdi>" : "from <bdi>");
	struct mail_view view;
	if (m->kind == BOX_MAILBOX) {
		mailbox_view(arena, m->body, &view);
		escape(out, m->sent ? m->other : view.from);
	} else {
		escape(out, m->other);
	}
	buf_format(out, "</bdi>, <time>%s</time>", clock_format(arena, m->at).ptr);
	if (m->kind == BOX_PHONE && m->parts > 1)
		buf_format(out, ", %u parts", m->parts);
	add(out, "</div>");
	if (m->kind == BOX_MAILBOX) {
		add(out, "<h2 dir=auto>");
		escape(out, view.subject);
		add(out, "</h2>");
	}
	add(out, "<p class=t dir=auto>");
	linked(out, m->kind == BOX_PHONE ? m->body : view.text);
	add(out, "</p>");
	if (m->kind == BOX_MAILBOX && view.html.len)
		buf_format(out, "<div class=w><a href=/html/%llu target=_blank>as the mail program shows it</a></div>", (unsigned long long)m->sequence);
	add(out, "</article>");
}

static void messages(struct web_request *request, struct buf *out, enum box_kind kind, struct str address)
{
	struct store_message *list;
	size_t count = store_list(request->simulator->store, request->arena, kind, address, 0, LATEST, &list);
	for (size_t i = 0; i < count; i++)
		message(out, request->arena, &list[i], address.len == 0);
	if (count == 0)
		add(out, "<p>Nothing has arrived yet.</p>");
}

static void front_page(struct web_request *request, struct buf *out)
{
	struct str kind = web_query(request, "kind");
	bool phones = str_equal(kind, S("phones")), mailboxes = str_equal(kind, S("mailboxes"));
	struct store_counts counts;
	store_counts(request->simulator->store, &counts);
	head(out, phones ? S("Phones") : mailboxes ? S("Mailboxes") : S("Phones and mailboxes"), true);
	buf_format(out, "<p class=w>%llu phones received %llu messages, %llu mailboxes received %llu mails. The page reloads itself every five seconds; "
	                "open a phone or a mailbox to answer from it.</p>",
	           (unsigned long long)counts.boxes[BOX_PHONE], (unsigned long long)counts.received[BOX_PHONE],
	           (unsigned long long)counts.boxes[BOX_MAILBOX], (unsigned long long)counts.received[BOX_MAILBOX]);
	messages(request, out, phones ? BOX_PHONE : mailboxes ? BOX_MAILBOX : BOX_KINDS, S(""));
}

static void phone_page(struct web_request *request, struct buf *out, struct str number)
{
	head(out, str_concat(request->arena, S("Phone "), number), false);
	add(out, "<form method=post action=\"/phones/");
	escape(out, number);
	add(out, "/send\"><label>Answer from this phone <textarea name=text dir=auto required maxlength=1500></textarea></label>"
	         "<label>To (empty: to whoever wrote last) <input type=text name=to maxlength=20></label>"
	         "<button>Send</button> <a href=\"/phone/");
	escape(out, number);
	add(out, "\">Look again</a></form>");
	messages(request, out, BOX_PHONE, number);
}

static void mailbox_page(struct web_request *request, struct buf *out, struct str address)
{
	head(out, str_concat(request->arena, S("Mailbox "), address), false);
	add(out, "<form method=post action=\"/mailboxes/");
	escape(out, address);
	add(out, "/send\"><label>Answer the newest mail <textarea name=text dir=auto maxlength=10000></textarea></label>"
	         "<button>Send</button><button name=automatic value=1>Out of office</button><button name=bounce value=1>Bounce it</button> "
	         "<a href=\"/mailbox/");
	escape(out, address);
	add(out, "\">Look again</a></form>");
	messages(request, out, BOX_MAILBOX, address);
}

static void html_page(struct web_request *request, struct web_answer *answer, struct str sequence)
{
	int64_t number;
	struct store_message m;
	struct mail_view view;
	if (!str_to_int(sequence, &number) || number <= 0 || !store_find(request->simulator->store, request->arena, (uint64_t)number, &m) ||
	    m.kind != BOX_MAILBOX) {
		web_error(answer, 404, "no longer kept");
		return;
	}
	mailbox_view(request->arena, m.body, &view);
	answer->sandbox = true;
	buf_add_str(&answer->body, view.html);
}

bool pages_answer(struct web_request *request, struct web_answer *answer)
{
	struct str path = request->path;
	if (!str_equal(request->method, S("GET")))
		return false;
	if (str_equal(path, S("/")))
		front_page(request, &answer->body);
	else if (str_starts(path, S("/phone/")))
		phone_page(request, &answer->body, str_slice(path, 7, path.len));
	else if (str_starts(path, S("/mailbox/")))
		mailbox_page(request, &answer->body, str_slice(path, 9, path.len));
	else if (str_starts(path, S("/html/")))
		html_page(request, answer, str_slice(path, 6, path.len));
	else
		return false;
	return true;
}
