#include "kernel/html/assets.h"

const struct asset *asset_find(struct str path)
{
	for (size_t i = 0; i < asset_count; i++) {
		if (str_equal(path, str_from(assets[i].path)))
			return &assets[i];
	}
	return NULL;
}

const char *asset_path(const char *name)
{
	for (size_t i = 0; i < asset_count; i++) {
		if (strcmp(name, assets[i].name) == 0)
			return assets[i].path;
	}
	return NULL;
}
