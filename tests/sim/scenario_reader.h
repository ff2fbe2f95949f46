// SPDX-License-Identifier: Apache-2.0
// What the parts of the scenario reader share: values with their places, and names.
#pragma once

#include <jansson.h>

#include "tests/sim/scenario.h"

enum { PLACE_SIZE = 200, MEMORY_LIMIT_MIB = 4 * 1024 * 1024 };

struct reader {
	struct scenario *scenario;
	char *problem;
	size_t size;
	bool bad;
	bool cut; // too large for the simulator: what follows would speak of what was not read
};

// Refuses the scenario, with the place.
void reader_bad(struct reader *r, const char *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
// "kind" or "kind:word" is what the product cannot do.
void reader_lack(struct reader *r, const char *kind, const char *word);

// Places are written into the caller's PLACE_SIZE bytes.
const char *place_below(char *buf, const char *place, const char *key);
const char *place_element(char *buf, const char *place, size_t index);

// Of that type, or NULL when it is not there or null; another type is refused.
json_t *read_member(struct reader *r, json_t *object, const char *place, const char *key,
		    json_type type);
const char *read_text(struct reader *r, json_t *object, const char *place, const char *key);
double read_number(struct reader *r, json_t *object, const char *place, const char *key,
		   double otherwise, double most);
bool read_truth(struct reader *r, json_t *object, const char *place, const char *key,
		bool otherwise);
void read_known_keys(struct reader *r, json_t *object, const char *place, const char *const *keys);
bool read_name_fits(struct reader *r, const char *place, const char *name);

// Numbers of nodes and VMs; NAME_NONE or VM_NONE when refused, or not given.
uint8_t read_node_named(struct reader *r, const char *place, const char *name);
uint8_t read_node_member(struct reader *r, json_t *object, const char *place, const char *key);
uint64_t read_node_mask(struct reader *r, json_t *value, const char *place);
uint16_t reader_find_vm(const struct scenario *scenario, const char *name);
uint16_t read_vm_named(struct reader *r, const char *place, const char *name);
uint16_t read_vm_member(struct reader *r, json_t *object, const char *place, const char *key);
void read_load(struct reader *r, json_t *object, const char *place, uint32_t *cpu,
	       uint32_t *memory_mib);
void read_sizes(struct reader *r, json_t *object, const char *place, const char *inner,
		uint64_t *cpus, uint64_t *memory_mib);
enum scenario_want read_want(struct reader *r, json_t *object, const char *place);

// scenario_weights_io.c: weights of nodes, and nodes to avoid, become tiers of preferred owners.
void read_weights(struct reader *r, json_t *object, const char *place, struct scenario_vm *vm);
void weights_close(struct reader *r); // when everything else is read

// The parts, in this order.
void read_vms(struct reader *r, json_t *root);
void read_rules(struct reader *r, json_t *root);
void read_initial(struct reader *r, json_t *root);
void read_steps(struct reader *r, json_t *root);
void read_questions(struct reader *r, json_t *root);
