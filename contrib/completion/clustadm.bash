# SPDX-License-Identifier: Apache-2.0
# bash completion for clustadm: it completes itself, names of VMs, nodes and volumes included.
# shellcheck shell=bash

_clustadm()
{
	local IFS=$'\n'
	local words=("${COMP_WORDS[@]:1:COMP_CWORD}")
	local current=${COMP_WORDS[COMP_CWORD]}

	COMPREPLY=()
	mapfile -t COMPREPLY < <(clustadm -q __complete "${words[@]}" 2>/dev/null)
	if [[ ${COMPREPLY[0]-} == __files__ ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	fi
}

complete -F _clustadm clustadm
