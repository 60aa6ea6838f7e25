/* The store on a PostgreSQL server (15 or newer): "postgresql://...". */
#ifndef CHANCERY_ADAPTERS_STORE_POSTGRES_H
#define CHANCERY_ADAPTERS_STORE_POSTGRES_H

#include "kernel/db/db.h"

/* For db_register_driver. Takes all URLs of libpq; the password may stand in ~/.pgpass. */
extern const struct db_driver postgres_driver;

#endif
