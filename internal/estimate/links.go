package estimate

// joined finds the connected parts of the graph whose nodes are the levels of two
// sets and whose edges are the rows in which they meet. root gives every node,
// those of the first set first, the smallest node of its part.
func joined(a []int32, levelsA int, b []int32, levelsB int) (root []int32, parts int) {
	root = make([]int32, levelsA+levelsB)
	for i := range root {
		root[i] = int32(i)
	}
	find := func(x int32) int32 {
		for root[x] != x {
			root[x] = root[root[x]]
			x = root[x]
		}
		return x
	}
	parts = len(root)
	for i := range a {
		if x, y := find(a[i]), find(int32(levelsA)+b[i]); x != y {
			root[max(x, y)] = min(x, y)
			parts--
		}
	}
	for i := range root {
		root[i] = find(int32(i))
	}
	return root, parts
}

// parts numbers, for every employer, what remains connected whichever single pair
// is left out: what stays together without the bridges of the graph, the pairs
// whose loss cuts it in two (Tarjan 1974). Numbers are below the count of nodes.
func (g *graph) parts() []int32 {
	nodes := g.employers + g.workers
	entered, low := make([]int32, nodes), make([]int32, nodes) // 0: not yet entered
	by, next := make([]int32, nodes), make([]int32, nodes)     // pair that led to a node; next pair to follow
	edges := func(v int32) (lo, hi int32) {
		if int(v) < g.employers {
			return g.byEmployer[v], g.byEmployer[v+1]
		}
		w := v - int32(g.employers)
		return g.byWorker[w], g.byWorker[w+1]
	}
	at := func(v, k int32) (pair, other int32) {
		if int(v) < g.employers {
			pair = g.order[k]
			return pair, int32(g.employers) + g.pairWorker[pair]
		}
		return k, g.pairEmployer[k]
	}
	part := make([]int32, g.employers)
	clock := int32(0)
	var stack, open []int32
	enter := func(v, pair int32) {
		clock++
		entered[v], low[v], by[v] = clock, clock, pair
		next[v], _ = edges(v)
		stack, open = append(stack, v), append(open, v)
	}
	for start := range int32(g.employers) {
		if entered[start] != 0 {
			continue
		}
		enter(start, -1)
		for len(stack) > 0 {
			v := stack[len(stack)-1]
			if _, hi := edges(v); next[v] < hi {
				pair, other := at(v, next[v])
				next[v]++
				switch {
				case pair == by[v] || g.stays(g.pairWorker[pair]):
				case entered[other] == 0:
					enter(other, pair)
				default:
					low[v] = min(low[v], entered[other])
				}
				continue
			}
			stack = stack[:len(stack)-1]
			if len(stack) > 0 {
				up := stack[len(stack)-1]
				low[up] = min(low[up], low[v])
			}
			if low[v] < entered[v] {
				continue
			}
			// Nothing below v leads round the pair by which it was entered.
			for u := int32(-1); u != v; {
				u = open[len(open)-1]
				open = open[:len(open)-1]
				if int(u) < g.employers {
					part[u] = v
				}
			}
		}
	}
	return part
}

// stays reports whether a worker has one employer only.
func (g *graph) stays(w int32) bool { return g.byWorker[w+1]-g.byWorker[w] == 1 }
