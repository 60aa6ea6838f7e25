/* The page that says what is wrong, in the reader's language. */
#include "kernel/http/problem.h"

#include "http_pages.h"

static const struct {
	enum msg title, text;
} words[PROBLEM_COUNT] = {
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

void problem_write(struct request *request, struct response *response, enum problem problem, const struct err *err)
{
	struct html out = html_begin(request, response);
	const struct problem_view view = {
		.page = { .title =
		                  message_text(request->arena, request->language, words[problem].title, NULL, 0, false),
		          .officer_page = request->officer != NULL,
		          .errors = err && err->field_count > 0 ? err : NULL },
		.text = message_text(request->arena, request->language, words[problem].text, NULL, 0, false),
	};
	problem_page(&out, &view);
}
