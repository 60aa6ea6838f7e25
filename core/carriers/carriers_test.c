/* Carriers as rows, on both stores. */
#include "tests/support/store_fixture.h"

#include "core/carriers/carriers.h"

struct shown {
	struct arena *arena;
	struct carrier *copy;
	struct err *err;
	size_t fields, unusual;
};

/* What is shown can be read again. */
static void read_again(void *context, const char *name, struct str value, const char *help, bool usual)
{
	struct shown *shown = context;
	assert_int_equal(carrier_set(shown->arena, shown->copy, str_from(name), value, shown->err), OK);
	assert_true(strlen(help) > 0);
	shown->fields++;
	shown->unusual += !usual;
}

static enum rc set(struct fixture *f, struct carrier *carrier, const char *name, const char *value)
{
	return carrier_set(&f->arena, carrier, str_from(name), str_from(value), fixture_err(f));
}

static void test_rows(void **state)
{
	struct fixture *f = *state;
	struct carrier carrier = carrier_defaults(), found, *list;
	size_t count;
	carrier.name = S("tunis-1");
	assert_rc(f, INVALID, carrier_add(f->db, &carrier, fixture_err(f))); /* no host */
	assert_int_equal(set(f, &carrier, "host", "smsc.example"), OK);
	assert_int_equal(set(f, &carrier, "system_id", "chancery"), OK);
	assert_int_equal(set(f, &carrier, "bind", "split"), OK);
	assert_int_equal(set(f, &carrier, "window", "500"), OK);
	assert_int_equal(set(f, &carrier, "prefixes", "+216 +213"), OK);
	assert_int_equal(set(f, &carrier, "vendor", "1400=0102 3FFF="), OK);
	assert_int_equal(set(f, &carrier, "statuses", "0x401=permanent 69=throttle"), OK);
	assert_rc(f, OK, carrier_add(f->db, &carrier, fixture_err(f)));
	assert_rc(f, CONFLICT, carrier_add(f->db, &carrier, fixture_err(f)));
	assert_rc(f, OK, carrier_find_name(f->db, &f->arena, S("tunis-1"), &found, fixture_err(f)));
	struct carrier copy = carrier_defaults();
	struct shown shown = { &f->arena, &copy, fixture_err(f), 0, 0 };
	carrier_each_field(&f->arena, &found, read_again, &shown);
	assert_int_equal(shown.fields, 33);
	assert_int_equal(shown.unusual, 7);
	assert_int_equal(copy.bind, CARRIER_SPLIT);
	assert_int_equal(copy.window_most, 500);
	assert_true(str_equal(copy.vendor, S("1400=0102 3FFF=")));
	assert_int_equal(set(f, &found, "rate", "40"), OK);
	assert_int_equal(set(f, &found, "enabled", "no"), OK);
	assert_rc(f, OK, carrier_change(f->db, &found, fixture_err(f)));
	assert_rc(f, OK, carrier_list_all(f->db, &f->arena, &list, &count, fixture_err(f)));
	assert_int_equal(count, 1);
	assert_int_equal(list[0].rate, 40);
	assert_int_equal(list[0].enabled, 0);
	assert_rc(f, OK, carrier_remove_name(f->db, S("tunis-1"), fixture_err(f)));
	assert_rc(f, NOT_FOUND, carrier_remove_name(f->db, S("tunis-1"), fixture_err(f)));
	assert_rc(f, NOT_FOUND, carrier_change(f->db, &found, fixture_err(f)));
	assert_rc(f, NOT_FOUND, carrier_find_name(f->db, &f->arena, S("tunis-1"), &found, fixture_err(f)));
}

static void test_what_cannot_be(void **state)
{
	struct fixture *f = *state;
	struct carrier carrier = carrier_defaults();
	static const char *const bad[][2] = {
		{ "port", "0" }, { "port", "65536" }, { "port", "x" }, { "window", "0" }, { "window", "10001" }, { "binds", "17" },
		{ "tls", "yes" }, { "bind", "both" }, { "prefixes", "+216x" }, { "prefixes", "+1234567890123456" }, { "prefixes", "+" },
		{ "vendor", "13FF=00" }, { "vendor", "4000=00" }, { "vendor", "1400=0" }, { "vendor", "1400" }, { "statuses", "0=throttle" },
		{ "statuses", "88=slow" }, { "statuses", "88" }, { "statuses", "0x123456789=throttle" }, { "host", "h\n" }, { "source_ton", "7" },
		{ "system_id", "12345678901234567890123456789012345678901234567890123456789012345" },
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(set(f, &carrier, bad[i][0], bad[i][1]), INVALID);
	assert_int_equal(set(f, &carrier, "nothing", "1"), NOT_FOUND);
	struct carrier usual = carrier_defaults();
	assert_memory_equal(&carrier, &usual, sizeof usual);
	assert_int_equal(set(f, &carrier, "host", "h"), OK);
	assert_int_equal(set(f, &carrier, "system_id", "s"), OK);
	static const char *const names[] = { "", "Upper", "a/1", "-a", "a b", "1234567890123456789012345678901" };
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		carrier.name = str_from(names[i]);
		assert_int_equal(carrier_check(&carrier, fixture_err(f)), INVALID);
	}
	carrier.name = S("a-1");
	assert_int_equal(carrier_check(&carrier, fixture_err(f)), OK);
	assert_int_equal(set(f, &carrier, "tls_name", "x"), OK);
	assert_int_equal(carrier_check(&carrier, fixture_err(f)), INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = { BOTH(test_rows), SQLITE_ONLY_(test_what_cannot_be, fixture_setup) };
	return fixture_main(tests);
}
