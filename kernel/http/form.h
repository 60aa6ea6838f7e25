/* Forms and queries: bounded, strict. Private to the room. */
#ifndef CHANCERY_KERNEL_HTTP_FORM_H
#define CHANCERY_KERNEL_HTTP_FORM_H

#include "kernel/http/http.h"

/* Fields in order; texts lie in the bytes parsed, decoded in place and NUL-terminated, the array in the arena. */
struct form {
	struct http_field *fields;
	size_t count;
};

/* Both parsers write into `bytes`, which must have room for one byte more than `size` and live as long as the fields.
 * Names and texts must be UTF-8 without NUL (400), at most HTTP_FIELDS_MAX fields with names of at most
 * HTTP_FIELD_NAME_MAX bytes (413). Content of multipart parts that have a file name is taken as it is. */
bool form_urlencoded(struct arena *arena, char *bytes, size_t size, struct form *form, enum problem *problem);
/* RFC 7578. `boundary` without the dashes. */
bool form_multipart(struct arena *arena, char *bytes, size_t size, struct str boundary, struct form *form,
                    enum problem *problem);

enum form_type { FORM_URLENCODED, FORM_MULTIPART, FORM_OTHER };
/* The kind of a Content-Type; *boundary is set for multipart (FORM_OTHER if it is missing or not one by RFC 2046). */
enum form_type form_type(struct str content_type, struct str *boundary);

#endif
