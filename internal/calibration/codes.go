package calibration

// SectorCodes returns the codes of sectors in their order.
func (f *Figures) SectorCodes() []string {
	return codesOf(f.Sectors, func(x Sector) string { return x.Code })
}

// RegionCodes returns the codes of regions in their order.
func (f *Figures) RegionCodes() []string {
	return codesOf(f.Regions, func(x Region) string { return x.Code })
}

// LevelCodes returns the codes of levels in their order.
func (f *Figures) LevelCodes() []string {
	return codesOf(f.Levels, func(x Level) string { return x.Code })
}

// FieldCodes returns the codes of fields in their order.
func (f *Figures) FieldCodes() []string {
	return codesOf(f.Fields, func(x Field) string { return x.Code })
}

func codesOf[T any](list []T, code func(T) string) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = code(x)
	}
	return out
}

// Class returns the size class of a head count of at least one.
func (s *Size) Class(heads int) int {
	k := len(s.Classes) - 1
	for k > 0 && heads < s.Classes[k] {
		k--
	}
	return k
}
