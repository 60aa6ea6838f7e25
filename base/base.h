/* The whole base floor in one include. Include system and library headers before it, because banned.h poisons names. */
#ifndef CHANCERY_BASE_BASE_H
#define CHANCERY_BASE_BASE_H

#include "arena.h"
#include "buf.h"
#include "clock.h"
#include "err.h"
#include "log.h"
#include "map.h"
#include "rand.h"
#include "str.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#include "banned.h"

#endif
