package strictyaml

import (
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// Raw is a value of any kind as it would be written on one line: 0.2,
// [year, group], {from: 0.02, to: 0.6}. Whoever holds it parses it.
type Raw string

// flow writes a node on one line.
func flow(n ast.Node) string {
	if pairs, ok := mapping(n); ok {
		var parts []string
		for _, p := range pairs {
			parts = append(parts, flow(p.Key)+": "+flow(p.Value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	switch n := n.(type) {
	case *ast.SequenceNode:
		var parts []string
		for _, v := range n.Values {
			parts = append(parts, flow(v))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *ast.LiteralNode:
		return strconv.Quote(n.Value.Value)
	}
	t := n.GetToken()
	if t.Type == token.SingleQuoteType || t.Type == token.DoubleQuoteType || strings.ContainsAny(t.Value, "[]{},:#\"\n") {
		return strconv.Quote(t.Value)
	}
	return t.Value
}
