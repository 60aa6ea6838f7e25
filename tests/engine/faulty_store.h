/* The two stores behind a driver that fails when the test says so: "faulty-sqlite:..." and "faulty-postgresql:...". */
#ifndef CHANCERY_TESTS_ENGINE_FAULTY_STORE_H
#define CHANCERY_TESTS_ENGINE_FAULTY_STORE_H

#include <stdatomic.h>

#include "tests/support/store_fixture.h"

struct faults {
	_Atomic bool down;            /* no transaction begins: the server is away */
	_Atomic int lost_commits;     /* so many of the next commits are made, and their outcome is not told */
	_Atomic int skip_commits;     /* so many commits that write go well before that */
	_Atomic int lost_rollbacks;   /* so many of the next are not made, and their outcome is not told */
};
extern struct faults faults;

/* Closes the fixture's store and opens it again behind the faulty driver. */
void faulty_open(struct fixture *fixture);

#endif
