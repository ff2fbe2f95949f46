// SPDX-License-Identifier: Apache-2.0
// PRO policies in an ENTRY_APPLY: whether each makes sense by itself, and keeping them.
#include <string.h>

#include "clusterd/apply_check.h"
#include "clusterd/text.h"

static bool check_pro(struct apply *a, const struct pro_def *def)
{
	char fix[REASON_SIZE];
	const char *what;

	if (!name_is_word(def->name))
		return refuse(a, "bad-name", WORDS("\"", def->name, "\" is no name for a policy"),
			      WORDS("begin with a letter or digit"));
	what = pro_def_fault(def, fix);
	return !what ||
	       refuse(a, "bad-policy", WORDS("policy ", def->name, ": ", what), WORDS(fix));
}

// The slot of a policy of this name, or a free one that no other of the document takes; -1.
static int policy_slot(const struct cluster *cluster, const char *name, uint32_t taken)
{
	int unused = -1;

	for (int i = 0; i < POLICIES_MAX; i++) {
		if (cluster->policies[i].used && strcmp(cluster->policies[i].def.name, name) == 0)
			return i;
		if (!cluster->policies[i].used && !(taken >> i & 1) && unused < 0)
			unused = i;
	}
	return unused;
}

bool check_pros(struct apply *a, struct definition_unpack reader)
{
	char names[POLICIES_MAX][NAME_SIZE];
	struct pro_def def;
	uint32_t taken = 0;

	while (reader.pros_left > 0) {
		int slot;

		if (!definition_unpack_pro(&reader, &def))
			return refuse(a, "malformed", WORDS("the definitions are garbled"),
				      WORDS("send them again"));
		if (!check_pro(a, &def))
			return false;
		for (int i = 0; i < POLICIES_MAX; i++) {
			if (taken >> i & 1 && strcmp(names[i], def.name) == 0)
				return refuse(a, "duplicate",
					      WORDS("policy ", def.name, " is defined twice"),
					      WORDS("leave one out"));
		}
		slot = policy_slot(a->cluster, def.name, taken);
		if (slot < 0)
			return refuse(a, "table-full",
				      WORDS("there is room for ", number_text(POLICIES_MAX).text,
					    " policies and no more"),
				      WORDS("remove one"));
		text_copy(names[slot], NAME_SIZE, def.name);
		taken |= 1u << slot;
	}
	return definition_unpack_done(&reader) ||
	       refuse(a, "malformed", WORDS("the definitions are garbled"),
		      WORDS("send them again"));
}

// What it learned of its predictions stays with its name.
void store_pros(struct apply *a, struct definition_unpack reader)
{
	while (reader.pros_left > 0) {
		struct cluster_policy *policy;
		struct pro_def def;

		definition_unpack_pro(&reader, &def);
		policy = &a->cluster->policies[policy_slot(a->cluster, def.name, 0)];
		if (policy->used && !def.enabled_given)
			def.enabled = policy->def.enabled;
		def.enabled_given = true;
		policy->used = true;
		policy->def = def;
	}
}

bool remove_policy(struct apply *a)
{
	const struct cluster_policy *policy = cluster_find_policy(a->cluster, a->entry->name);

	if (!policy)
		return refuse(a, "no-such-policy", WORDS("there is no policy ", a->entry->name),
			      WORDS("name one of: clustadm policy list"));
	memset(&a->cluster->policies[policy - a->cluster->policies], 0, sizeof(*policy));
	return true;
}
