/* The store in one SQLite file: "sqlite:PATH". */
#ifndef CHANCERY_ADAPTERS_STORE_SQLITE_H
#define CHANCERY_ADAPTERS_STORE_SQLITE_H

#include "kernel/db/db.h"

/* For db_register_driver. Write-ahead log, synchronous=FULL, foreign keys, secure deletion. */
extern const struct db_driver sqlite_driver;

#endif
