/* Reading and checking of addresses in forms. */
#include "desks/travel/contact_form.h"
#include "kernel/text/phone.h"

static struct str value(const struct request *request, const char *name, const char *suffix)
{
	const struct str text = request_form(request, str_format(request->arena, "%s%s", name, suffix).ptr);
	return str_is_none(text) ? S("") : str_trim(text);
}

struct choice *language_choices(struct arena *arena, enum language chosen)
{
	struct choice *choices = ARENA_NEW_ARRAY(arena, struct choice, LANGUAGE_COUNT);
	for (int i = 0; i < LANGUAGE_COUNT; i++)
		choices[i] = (struct choice){ str_from(languages[i].tag), str_from(languages[i].name), i == (int)chosen };
	return choices;
}

static struct choice *one_box(struct arena *arena, struct str text, bool chosen)
{
	struct choice *choice = ARENA_NEW(arena, struct choice);
	*choice = (struct choice){ S("yes"), text, chosen };
	return choice;
}

/* --- telephone -------------------------------------------------------------------------------------------------- */

void phone_form_read(const struct request *request, const char *name, struct phone_form *form)
{
	*form = (struct phone_form){
		.number = value(request, name, ""),
		.country = value(request, name, "_country"),
		.sure = value(request, name, "_sure").len > 0,
	};
}

enum rc phone_form_prepare(struct places *places, struct arena *arena, enum language language, struct phone_form *form, struct err *err)
{
	struct country *countries;
	size_t count;

	enum rc rc = country_list(places, arena, languages[language].tag, &countries, &count, err);
	if (rc != OK)
		return rc;
	form->countries = ARENA_NEW_ARRAY(arena, struct choice, count + 1);
	form->country_count = 0;
	form->countries[form->country_count++] = (struct choice){ S(""), T(arena, language, MSG_travel_choose_country), !form->country.len };
	for (size_t i = 0; i < count; i++) {
		const struct str code = str_copy(arena, str_from(countries[i].code));
		const unsigned calling = phone_calling_code(code);
		if (calling)
			form->countries[form->country_count++] = (struct choice){
				.value = code,
				.text = str_format(arena, "%.*s +%u", STR_ARG(countries[i].name), calling),
				.chosen = str_equal(code, form->country),
			};
	}
	form->sure_choice = one_box(arena, T(arena, language, MSG_travel_phone_sure_yes), form->sure);
	return OK;
}

static const enum msg problems[] = {
	[PHONE_POSSIBLE] = MSG_travel_phone_form,
	[PHONE_NOT_A_NUMBER] = MSG_travel_phone_form,
	[PHONE_HAS_EXTENSION] = MSG_travel_phone_extension,
	[PHONE_NEEDS_COUNTRY] = MSG_travel_phone_country,
	[PHONE_UNKNOWN_COUNTRY_CODE] = MSG_travel_phone_code,
	[PHONE_TOO_SHORT] = MSG_travel_phone_short,
	[PHONE_TOO_LONG] = MSG_travel_phone_long,
	[PHONE_WRONG_LENGTH] = MSG_travel_phone_length,
};

enum rc phone_form_check(struct arena *arena, const char *name, bool texts, struct phone_form *form, struct str *out, struct err *err)
{
	enum phone_problem problem = PHONE_POSSIBLE;
	struct phone_number number;

	enum rc rc = phone_parse(arena, form->number, form->country.len ? form->country : STR_NONE, &number, &problem);
	if (rc == INVALID)
		return err_field(err, str_from(name), (int)problems[problem], STR_NONE, STR_NONE);
	if (rc != OK)
		return err_set(err, rc, "phone_parse");
	const bool odd = !number.valid || (texts && !phone_takes_sms(number.type));
	form->ask_sure = odd;
	if (odd && !form->sure)
		return err_field(err, str_format(arena, "%s_sure", name), number.valid ? MSG_travel_phone_no_texts : MSG_travel_phone_odd,
		                 phone_format_display(arena, number.e164), STR_NONE);
	*out = number.e164;
	return OK;
}

/* --- emergency contact ------------------------------------------------------------------------------------------ */

void emergency_form_read(const struct request *request, struct emergency_form *form)
{
	*form = (struct emergency_form){
		.name = value(request, "emergency_name", ""),
		.relation = value(request, "emergency_relation", ""),
		.email = value(request, "emergency_email", ""),
		.consent = value(request, "emergency_consent", "").len > 0,
	};
	phone_form_read(request, "emergency_phone", &form->phone);
}

bool emergency_form_is_empty(const struct emergency_form *form)
{
	return !form->name.len && !form->relation.len && !form->email.len && !form->phone.number.len && !form->consent;
}

void emergency_form_fill(const struct emergency_contact *contact, struct emergency_form *form)
{
	*form = (struct emergency_form){
		.name = contact->name,
		.relation = contact->relation,
		.email = contact->email,
		.phone = { .number = contact->phone },
		.consent = true,
	};
}

enum rc emergency_form_prepare(struct places *places, struct arena *arena, enum language language, struct emergency_form *form, struct err *err)
{
	(void)places;
	(void)err;
	form->consent_choice = one_box(arena, T(arena, language, MSG_travel_emergency_consent_yes), form->consent);
	form->phone.sure_choice = one_box(arena, T(arena, language, MSG_travel_phone_sure_yes), form->phone.sure);
	return OK;
}

enum rc emergency_form_check(struct arena *arena, int64_t now, struct emergency_form *form, struct emergency_contact *out, struct err *err)
{
	struct emergency_contact contact = { .email = S(""), .phone = S(""), .consent_at = now };

	enum rc rc = person_name_read(arena, form->name, S("emergency_name"), &contact.name, err);
	if (form->relation.len && person_name_read(arena, form->relation, S("emergency_relation"), &contact.relation, err) != OK)
		rc = INVALID;
	if (!form->relation.len)
		contact.relation = S("");
	if (form->email.len && mailbox_read(arena, form->email, S("emergency_email"), &contact.email, err) != OK)
		rc = INVALID;
	if (form->phone.number.len) {
		enum rc phone = phone_form_check(arena, "emergency_phone", false, &form->phone, &contact.phone, err);
		if (phone != OK && phone != INVALID)
			return phone;
		rc = phone != OK ? phone : rc;
	}
	if (!form->email.len && !form->phone.number.len)
		rc = err_field(err, S("emergency_phone"), MSG_travel_emergency_address, STR_NONE, STR_NONE);
	if (!form->consent)
		rc = err_field(err, S("emergency_consent"), MSG_travel_emergency_consent_missing, STR_NONE, STR_NONE);
	if (rc == OK)
		*out = contact;
	return rc;
}
