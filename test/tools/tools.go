// Package tools pins the programs that tests drive; see the tool directives in go.mod.
package tools
