/* Addresses as people type them: mailbox, mobile number with its country, and whom to ask in an emergency. Private to the room. */
#ifndef CHANCERY_DESKS_TRAVEL_CONTACT_FORM_H
#define CHANCERY_DESKS_TRAVEL_CONTACT_FORM_H

#include "desks/travel/travel.h"
#include "kernel/html/html.h"
#include "kernel/http/http.h"

#define PHONE_TEXT_MAX 100 /* characters typed */

/* A telephone number in a form: NAME, NAME_country and, when it looks odd, NAME_sure. */
struct phone_form {
	struct str number, country;
	bool sure;               /* ticked: it is right although it looks odd */
	bool ask_sure;           /* the page asks */
	struct choice *countries; /* of the page */
	size_t country_count;
	struct choice *sure_choice;
};
void phone_form_read(const struct request *request, const char *name, struct phone_form *form);
/* Makes the list of countries with their calling codes. */
enum rc phone_form_prepare(struct places *places, struct arena *arena, enum language language, struct phone_form *form, struct err *err);
/* E.164. `texts`: it must take text messages. INVALID with an error on NAME (or NAME_sure: then form->ask_sure is set). */
enum rc phone_form_check(struct arena *arena, const char *name, bool texts, struct phone_form *form, struct str *out, struct err *err);

struct emergency_form {
	struct str name, relation, email;
	struct phone_form phone;
	bool consent;
	struct choice *consent_choice;
};
void emergency_form_read(const struct request *request, struct emergency_form *form);
bool emergency_form_is_empty(const struct emergency_form *form);
enum rc emergency_form_prepare(struct places *places, struct arena *arena, enum language language, struct emergency_form *form, struct err *err);
void emergency_form_fill(const struct emergency_contact *contact, struct emergency_form *form);
/* `country` of a number in national form, where the form itself has none. */
enum rc emergency_form_check(struct arena *arena, int64_t now, struct emergency_form *form, struct emergency_contact *out, struct err *err);

/* The languages to choose from. */
struct choice *language_choices(struct arena *arena, enum language chosen);

#endif
