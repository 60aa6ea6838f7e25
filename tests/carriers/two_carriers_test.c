/* The whole road: a notice over two simulated carriers, one behind TLS, each with several binds, with the faults carriers have. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/engine/engine_fixture.h"

#include "adapters/channel/smpp/smpp.h"
#include "tests/simulator/simulator.h"
#include "tests/simulator/tls_peer.h"

#define BINDS_MOST 8

struct world {
	struct rig rig;
	struct simulator near, far;
	struct tls_peer *peer;
	char ca_file[64];
	struct channel *binds[BINDS_MOST];
	size_t bind_count;
};

static void start_simulator(struct world *world, struct simulator *simulator)
{
	struct simulator_options options;
	simulator_defaults(&options);
	assert_rc(world->rig.fixture, OK, simulator_start(simulator, &options, fixture_err(world->rig.fixture)));
}

static void fault(struct simulator *simulator, const char *name, int64_t value)
{
	struct faults now = simulator_faults(simulator);
	assert_true(faults_set(&now, name, value));
	simulator_set_faults(simulator, &now);
}

static void bind_to(struct world *world, const char *name, const char *carrier, uint16_t port, bool tls, const char *prefixes)
{
	struct smpp_route_settings settings = smpp_route_defaults();
	settings.name = str_from(name);
	settings.host = S("127.0.0.1");
	settings.port = port;
	settings.system_id = S("chancery");
	settings.password = S("secret");
	settings.window = 50;
	settings.retry_first = CLOCK_SECOND / 20;
	settings.tls = tls;
	settings.tls_ca = str_from(world->ca_file);
	struct messages_route route = { .carrier = str_from(carrier), .prefixes = str_from(prefixes), .weight = 50, .receipts = true };
	struct err *err = fixture_err(world->rig.fixture);
	assert_rc(world->rig.fixture, OK, smpp_channel_new(&settings, &route.channel, err));
	world->binds[world->bind_count++] = route.channel;
	assert_rc(world->rig.fixture, OK, messages_add_route(world->rig.house, &route, err));
	struct engine *engine = world->rig.engine;
	assert_rc(world->rig.fixture, OK, channel_start(route.channel, &road_events, &engine->roads[engine->road_count - 1], err));
}

static void world_init(struct world *world, struct fixture *fixture)
{
	memset(world, 0, sizeof *world);
	rig_init(&world->rig, fixture);
	fake_cut(&world->rig.sms);
	start_simulator(world, &world->near);
	start_simulator(world, &world->far);
	snprintf(world->ca_file, sizeof world->ca_file, "%s", "/tmp/chancery-tls-XXXXXX");
	int file = mkstemp(world->ca_file);
	assert_true(file >= 0);
	close(file);
	world->peer = tls_peer_start("127.0.0.1", world->near.smpp_port, world->ca_file);
	assert_non_null(world->peer);
}

static void world_release(struct world *world)
{
	for (size_t i = 0; i < world->bind_count; i++)
		channel_stop(world->binds[i], 0);
	rig_release(&world->rig);
	for (size_t i = 0; i < world->bind_count; i++)
		channel_free(world->binds[i]);
	tls_peer_stop(world->peer);
	simulator_stop(&world->near);
	simulator_stop(&world->far);
	unlink(world->ca_file);
}

static int64_t ended(struct world *world, int64_t notice)
{
	return rig_count(&world->rig, notice, CHANNEL_SMS, MESSAGE_DELIVERED) + rig_count(&world->rig, notice, CHANNEL_SMS, MESSAGE_FAILED);
}

/* Rounds until so many have their receipt. */
static void wait_ended(struct world *world, int64_t notice, int64_t wanted)
{
	int64_t until = clock_monotonic() + 60 * CLOCK_SECOND, moved = clock_monotonic(), last = 0;
	for (int64_t now; (now = ended(world, notice)) < wanted && clock_monotonic() < until; last = now) {
		if (now > last)
			moved = clock_monotonic();
		/* What was cut a second time waits for half a minute. */
		if (clock_monotonic() - moved > CLOCK_SECOND) {
			clock_set_offset(clock_offset() + 31 * CLOCK_SECOND);
			moved = clock_monotonic();
		}
		rig_turn(&world->rig);
		usleep(2000);
	}
	if (ended(world, notice) != wanted)
		for (int state = MESSAGE_PLANNED; state < MESSAGE_STATE_COUNT; state++)
			print_error("state %d: %lld\n", state, (long long)rig_count(&world->rig, notice, CHANNEL_SMS, state));
	assert_int_equal(ended(world, notice), wanted);
	rig_check(&world->rig);
}

static uint64_t received(struct simulator *simulator, uint64_t *doubled)
{
	struct store_counts counts;
	store_counts(simulator->store, &counts);
	*doubled += counts.doubled[BOX_PHONE];
	return counts.received[BOX_PHONE];
}

static void test_two_carriers_share(void **state)
{
	struct world world;
	uint64_t doubled = 0;
	world_init(&world, *state);
	bind_to(&world, "near/1", "near", tls_peer_port(world.peer), true, "");
	bind_to(&world, "near/2", "near", tls_peer_port(world.peer), true, "");
	bind_to(&world, "far/1", "far", world.far.smpp_port, false, "");
	bind_to(&world, "far/2", "far", world.far.smpp_port, false, "");
	fault(&world.far, "latency_ms", 5);
	rig_people(&world.rig, 1, 2000);
	int64_t notice = rig_send(&world.rig, 1, 1, 2000, CHANNEL_BIT(CHANNEL_SMS));
	wait_ended(&world, notice, 2000);
	uint64_t near = received(&world.near, &doubled), far = received(&world.far, &doubled);
	assert_int_equal(near + far, 2000);
	assert_true(near > 200 && far > 200);
	assert_int_equal(doubled, 0);
	assert_int_equal(world.rig.sms.submitted, 0);
	/* Each carrier's simulator gives receipts to any of its binds; all were found. */
	assert_int_equal(rig_count(&world.rig, notice, CHANNEL_SMS, MESSAGE_DELIVERED), 2000);
	world_release(&world);
}

/* One carrier cuts again and again after taking a message, the other throttles: everybody is reached, and only what a cut left without an
 * answer came twice, and is marked. */
static void test_cuts_and_throttling(void **state)
{
	struct world world;
	uint64_t doubled = 0;
	world_init(&world, *state);
	bind_to(&world, "near/1", "near", tls_peer_port(world.peer), true, "");
	bind_to(&world, "far/1", "far", world.far.smpp_port, false, "");
	bind_to(&world, "far/2", "far", world.far.smpp_port, false, "");
	fault(&world.near, "cut_every", 60);
	fault(&world.far, "throttle_per_second", 200);
	rig_people(&world.rig, 1, 1000);
	int64_t notice = rig_send(&world.rig, 1, 1, 1000, CHANNEL_BIT(CHANNEL_SMS));
	wait_ended(&world, notice, 1000);
	uint64_t near = received(&world.near, &doubled), far = received(&world.far, &doubled);
	int64_t marked = rig_count(&world.rig, notice, CHANNEL_SMS, MESSAGE_WAS_IN_DOUBT);
	assert_true(near + far >= 1000);
	assert_true((int64_t)(near + far) - 1000 <= marked);
	assert_true(near > 60 && far > 50);
	world_release(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = { BOTH(test_two_carriers_share), BOTH(test_cuts_and_throttling) };
	return fixture_main(tests);
}
