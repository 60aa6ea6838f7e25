/* Officers' words as HTML, by cmark-gfm: safe by default (no raw HTML, no odd addresses), and no picture is ever
 * loaded from elsewhere. */
#include <cmark-gfm.h>
#include <stdlib.h>

#include "desks/travel/alert_views.h"

#define HEADING_LEAST 3 /* the page has <h1> and <h2> of its own */

/* A picture becomes its words; a heading goes below the page's own. */
static void tame(cmark_node *root)
{
	cmark_iter *iter = cmark_iter_new(root);
	cmark_event_type event;

	while ((event = cmark_iter_next(iter)) != CMARK_EVENT_DONE) {
		cmark_node *node = cmark_iter_get_node(iter);
		if (event == CMARK_EVENT_EXIT && cmark_node_get_type(node) == CMARK_NODE_IMAGE) {
			for (cmark_node *child = cmark_node_first_child(node); child;
			     child = cmark_node_first_child(node)) {
				cmark_node_unlink(child);
				cmark_node_insert_before(node, child);
			}
			cmark_node_unlink(node);
			cmark_node_free(node);
		} else if (event == CMARK_EVENT_ENTER && cmark_node_get_type(node) == CMARK_NODE_HEADING) {
			const int level = cmark_node_get_heading_level(node) + HEADING_LEAST - 1;
			cmark_node_set_heading_level(node, level > 6 ? 6 : level);
		}
	}
	cmark_iter_free(iter);
}

struct html_markup alert_markup(struct arena *arena, struct str text)
{
	const int options = CMARK_OPT_HARDBREAKS | CMARK_OPT_VALIDATE_UTF8;

	if (!text.len)
		return (struct html_markup){ S("") };
	cmark_node *root = cmark_parse_document(text.ptr, text.len, options);
	if (!root)
		abort();
	tame(root);
	char *html = cmark_render_html(root, options, NULL);
	const struct html_markup out = { str_copy(arena, str_from(html)) };
	free(html);
	cmark_node_free(root);
	return out;
}
