/* What the pages of kernel/access show. */
#ifndef CHANCERY_KERNEL_ACCESS_VIEWS_H
#define CHANCERY_KERNEL_ACCESS_VIEWS_H

#include "kernel/access/access_private.h"

struct sign_in_view {
	struct page page;
	struct str login, next;
};

struct setup_view {
	struct page page;
	struct str path;           /* of the form */
	struct str name, login;
	struct str secret;         /* base32, in groups of four */
	struct html_url otpauth;
	struct html_markup drawing; /* the code to scan, as SVG */
};

struct codes_view {
	struct page page;
	struct str *codes;
	size_t code_count;
};

struct session_view {
	int64_t id, created_at, seen_at;
	int here;
};

struct me_view {
	struct page page;
	struct str name, login;
	struct choice languages[LANGUAGE_COUNT];
	struct str zone;
	struct session_view *sessions;
	size_t session_count;
};

struct user_view {
	struct str name, login;
	enum msg permission;
	int set_up, disabled, me;
};

struct users_view {
	struct page page;
	struct user_view *users;
	size_t user_count;
	struct str name, login;    /* of the form */
	struct choice permissions[3];
	struct str link;           /* a set-up link to hand over, or STR_NONE */
	struct str link_name;
};

#endif
