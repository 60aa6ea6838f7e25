#include "kernel/html/error_page.h"

#include "html_pages.h"
#include "kernel/http/http.h"

struct problem_words {
	enum msg title, text;
};

static const struct problem_words problem_words[PROBLEM_COUNT] = {
	[PROBLEM_BAD_REQUEST] = { MSG_kernel_error_title_bad, MSG_kernel_error_text_bad },
	[PROBLEM_SIGN_IN] = { MSG_kernel_error_title_sign_in, MSG_kernel_error_text_sign_in },
	[PROBLEM_DENIED] = { MSG_kernel_error_title_denied, MSG_kernel_error_text_denied },
	[PROBLEM_FORM] = { MSG_kernel_error_title_form, MSG_kernel_error_text_form },
	[PROBLEM_NOT_FOUND] = { MSG_kernel_error_title_not_found, MSG_kernel_error_text_not_found },
	[PROBLEM_METHOD] = { MSG_kernel_error_title_bad, MSG_kernel_error_text_bad },
	[PROBLEM_CONFLICT] = { MSG_kernel_error_title_conflict, MSG_kernel_error_text_conflict },
	[PROBLEM_LENGTH] = { MSG_kernel_error_title_bad, MSG_kernel_error_text_bad },
	[PROBLEM_TOO_LARGE] = { MSG_kernel_error_title_large, MSG_kernel_error_text_large },
	[PROBLEM_MEDIA_TYPE] = { MSG_kernel_error_title_bad, MSG_kernel_error_text_bad },
	[PROBLEM_INVALID] = { MSG_kernel_error_title_invalid, MSG_kernel_error_text_invalid },
	[PROBLEM_TOO_MANY] = { MSG_kernel_error_title_too_many, MSG_kernel_error_text_too_many },
	[PROBLEM_HEAD_TOO_LARGE] = { MSG_kernel_error_title_large, MSG_kernel_error_text_large },
	[PROBLEM_FAILED] = { MSG_kernel_error_title_failed, MSG_kernel_error_text_failed },
	[PROBLEM_BUSY] = { MSG_kernel_error_title_busy, MSG_kernel_error_text_busy },
};

void html_error_page(struct request *request, struct response *response, enum problem problem, const struct err *err)
{
	const struct problem_words *words = &problem_words[problem < PROBLEM_COUNT ? problem : PROBLEM_FAILED];
	struct html out = html_begin(request, response);
	struct error_page view = { .text = words->text };
	/* Posts and what was not read have no address that one could ask for in another language. */
	struct str canonical = request->method == METHOD_GET && problem != PROBLEM_BAD_REQUEST ? STR_NONE : S("/");
	view.page = (struct page){ .title = T(request->arena, request->language, words->title), .officer_page = request->officer != NULL,
		                   .canonical = canonical };
	size_t count = err != NULL ? err->field_count : 0;
	view.rules = ARENA_NEW_ARRAY(request->arena, struct str, count + 1);
	for (const struct err_field *field = count > 0 ? err->fields : NULL; field != NULL && view.rule_count < count; field = field->next)
		view.rules[view.rule_count++] = err_field_text(request->arena, request->language, field);
	error_page(&out, &view);
}
