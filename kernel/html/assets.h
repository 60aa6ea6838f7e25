/* The files of web/ as they stand in the program: scripts, icon. Made by tools/make_assets.py. */
#ifndef CHANCERY_KERNEL_HTML_ASSETS_H
#define CHANCERY_KERNEL_HTML_ASSETS_H

#include "base/base.h"

struct asset {
	const char *name;          /* "live.js", as in web/ */
	const char *path;          /* "/assets/live.0f3a9c21.js": its content never changes, so it may be cached for ever */
	const char *content_type;
	const char *etag;          /* quoted */
	const unsigned char *bytes;
	size_t size;
	const unsigned char *gzip; /* NULL where compression gains nothing */
	size_t gzip_size;
};
extern const struct asset assets[];
extern const size_t asset_count;

/* The asset served at `path`, or NULL. */
const struct asset *asset_find(struct str path);
/* The path of the file `name` of web/; NULL if there is none. */
const char *asset_path(const char *name);

#endif
