/* The layout of a head in libmicrohttpd's buffer. Private to the room. */
#ifndef CHANCERY_KERNEL_HTTP_LAYOUT_H
#define CHANCERY_KERNEL_HTTP_LAYOUT_H

#include <microhttpd.h>

#include "kernel/http/head.h"

/* True if the library is one whose layout is known; else it is left to the library to refuse. */
bool layout_is_known(void);
/* True if the head, whose texts are still where the library put them (the target as it stood there when its line was
 * read), was plain: single blanks in the request line, CRLF line ends, no folding, nothing dropped. */
bool layout_is_plain(const struct head *head, size_t head_size);

#endif
