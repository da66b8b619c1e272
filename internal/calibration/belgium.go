package calibration

// Belgium returns the built-in calibration: Belgian legal-person employers
// that file annual accounts, 2003-2021.
func Belgium() *Figures {
	c := &Figures{
		Size: Size{
			Shares: [9]float64{.522, .19, .1455, .0865, .0287, .0139, .0083, .0027, .0024},
			Mean1:  2.0,
			Tail:   1.03, TopTail: 1.25,
			Cap: 25000, CapPer: .5, CapFloor: 1500,
			GrowthSD: .335, GrowthEx: .235,
			Growth: .006, ClassZipf: .8,
		},
		Exits: Exits{
			Hazard:   [9]float64{.088, .052, .038, .029, .02, .016, .012, .01, .008},
			ByAge:    [11]float64{.8, 1, 1.25, 1.25, 1.25, 1.25, 1.2, 1.15, 1.1, 1.05, .9},
			Renamed:  [9]float64{.03, .06, .1, .2, .3, .35, .4, .4, .4},
			Absorbed: [9]float64{.01, .03, .06, .1, .15, .2, .2, .2, .2},
			Founded:  14,
		},
		Entrants: Entrants{
			Shares: [9]float64{.84, .1, .038, .016, .004, .0012, .0006, .0002, 0},
			Growth: []float64{.1, .07, .05, .03, .02}, GrowthBySize: .3,
		},
		Takeovers: Takeovers{Attach: .5, PartFrom: 50, PartRate: .002, Part: [2]float64{.1, .5}},
		Classes: map[string][]string{
			"A": {"0111", "0113", "0119", "0130", "0141", "0145", "0146", "0147", "0150", "0161", "0210", "0311"},
			"B": {"0811", "0812", "0899", "0910"},
			"C": {"1071", "2511", "1812", "2562", "3320", "1610", "1013", "2223", "2361", "1623", "2599", "3109", "2550", "1089", "1105", "1813", "2561", "3312", "2822", "2829", "1051", "1082", "2059", "2120", "2410", "2014", "2016", "2229", "2312", "2370", "2442", "2512", "2529", "2593", "2611", "2651", "2712", "2733", "2790", "2825", "2830", "2893", "2899", "2910", "2920", "2932", "3030", "3101", "3212", "3250", "1392", "1393", "1413", "1721", "1729"},
			"D": {"3511", "3513", "3514", "3522", "3530"},
			"E": {"3811", "3832", "3821", "3600", "3700", "3812", "3900"},
			"F": {"4120", "4321", "4322", "4332", "4399", "4391", "4334", "4333", "4211", "4331", "4110", "4312", "4329", "4339", "4221", "4222", "4299", "4311"},
			"G": {"4711", "4520", "4511", "4778", "4771", "4759", "4690", "4673", "4752", "4772", "4669", "4773", "4639", "4724", "4777", "4674", "4613", "4619", "4646", "4642", "4649", "4643", "4651", "4661", "4531", "4532", "4621", "4631", "4634", "4637", "4638", "4645", "4671", "4675", "4676", "4677", "4719", "4721", "4722", "4730", "4741", "4743", "4751", "4753", "4754", "4761", "4764", "4765", "4776", "4791"},
			"H": {"4941", "5229", "4932", "5320", "4942", "5210", "4939", "5224", "5221", "5222", "5110", "5020"},
			"I": {"5610", "5630", "5510", "5621", "5520", "5629", "5530"},
			"J": {"6201", "6202", "6209", "6311", "5829", "5911", "6190", "5814", "6010", "5811", "6110", "6312"},
			"K": {"6622", "6420", "6619", "6499", "6419", "6512", "6630", "6430", "6511", "6492"},
			"L": {"6820", "6831", "6832", "6810"},
			"M": {"6920", "7022", "7112", "6910", "7111", "7010", "7311", "7120", "7410", "7219", "7490", "7420", "7320", "7500", "7211"},
			"N": {"8121", "7820", "8130", "8299", "7711", "8010", "8122", "7912", "8211", "7739", "8230", "7830", "7990", "8220", "7911", "8110"},
			"P": {"8559", "8553", "8551", "8520", "8531", "8542", "8552", "8560"},
			"Q": {"8891", "8730", "8622", "8899", "8710", "8621", "8690", "8610", "8810", "8720", "8790"},
			"R": {"9311", "9312", "9313", "9319", "9004", "9001", "9329", "9321", "9200", "9102"},
			"S": {"9602", "9499", "9604", "9601", "9412", "9609", "9411", "9521", "9603", "9522"},
		},
		// El-Em: staff, employers, education, women, part-time, age, wage, hires.
		// A: sales per head, network sellers. A: automation multipliers.
		Sectors: []Sector{
			{"A", .6, .7, 2, 45, 40, 15, 30, 15, 40, 37, 40, 72, 45, 160, .55, .65},
			{"B", .1, .1, .1, 30, 48, 22, 10, 4, 30, 40, 44, 108, 9, 350, .9, .8},
			{"C", 26, 18, 10.5, 24, 45, 31, 25, 6, 33, 39, 43, 112, 11, 330, .85, 2.5},
			{"D", .8, .8, .2, 6, 34, 60, 23, 5, 30, 42, 42, 150, 8, 900, .8, 1.2},
			{"E", .8, 1.0, .5, 36, 42, 22, 20, 8, 35, 39, 43, 97, 13, 300, .8, 1.2},
			{"F", 9, 8.5, 15, 36, 49, 15, 8, 5, 45, 37, 39, 92, 19, 200, .6, .6},
			{"G", 17, 17, 25, 20, 49, 31, 48, 16, 50, 36, 39.5, 95, 21, 480, .6, 1.2},
			{"H", 8, 7.5, 4.5, 31, 48, 21, 20, 13, 42, 39, 42.5, 92, 18, 210, .85, 1.4},
			{"I", 3.5, 4, 10, 33, 49, 18, 50, 40.5, 61.6, 34, 35, 70, 50, 100, .25, .5},
			{"J", 3.5, 4.5, 4, 4, 23, 73, 30, 7, 28, 35, 39.5, 126, 16, 230, .85, .8},
			{"K", 5.5, 4.2, 3, 3, 23, 74, 50, 7, 35, 39, 43, 133, 8, 380, .6, .8},
			{"L", .7, .9, 2.5, 16, 40, 44, 50, 15, 45, 38, 41, 105, 18, 260, .6, .5},
			{"M", 5, 7.5, 12.5, 5, 23, 72, 48, 10, 35, 36, 39, 122, 18, 190, .8, .6},
			{"N", 9, 12.5, 5, 36, 46, 18, 58, 28, 70, 35, 39.5, 78, 40, 80, .8, .6},
			{"P", .5, .7, .8, 4, 20, 76, 60, 30, 50, 40, 42, 105, 25, 90, .4, .5},
			{"Q", 6, 8, 3, 15, 41, 44, 78, 28, 55, 38, 41.5, 97, 16, 70, .2, .6},
			{"R", 1, 1.2, 2, 20, 42, 38, 45, 30, 50, 36, 38, 88, 35, 130, .35, .5},
			{"S", 1.5, 1.6, 3.5, 18, 45, 37, 62, 22, 52, 37, 41, 88, 18, 90, .3, .5},
		},
		Regions: []Region{ // S: shares of SME employers 2023; wage premium A from S* (Brussels +16 % raw)

			{"Flanders", .578, 0, []Share{{"BE21", .30}, {"BE22", .11}, {"BE23", .235}, {"BE24", .145}, {"BE25", .21}}},
			{"Wallonia", .286, -.03, []Share{{"BE31", .14}, {"BE32", .335}, {"BE33", .31}, {"BE34", .085}, {"BE35", .13}}},
			{"Brussels", .136, .06, []Share{{"BE10", 1}}},
		},
		Levels:  belgianLevels(),
		Fields:  belgianFields(),
		Cluster: Clustering{Small: 6, Large: 25, PerLog: 2.6, Tries: 6}, // A: 6 for the smallest, 25 from about 1,500 staff
		Flows: Flows{
			Separation: [12]float64{.29, .155, .105, .09, .08, .07, .06, .052, .046, .042, .04, .038},       // A, reproduces the 17 % mean with retirement
			SectorPow:  .55, Short: .08, IntoPool: .75, SameSector: .7, Fresh: .25, PoolYears: 2, Tries: 12, // A; S: 44.8 % of hires come from another employer
			FromSchool: .3, // A
		},
		Age: Age{
			Bands: [6]int{18, 25, 35, 45, 55, 64},
			Y03:   [5]float64{.11, .31, .31, .21, .06}, Y12: [5]float64{.09, .27, .27, .26, .11}, Y21: [5]float64{.08, .25, .25, .25, .17}, // Em
			Retire: [4]float64{.05, .22, .3, .85},                                                                           // A; S: mean exit age 58.4 (2001) to 60.3 (2016)
			FirmSD: 2.5, YoungHire: 30, LastMove: 58, YoungShare: .5, HireAge: 29, School: 1.8, Reenter: [2]float64{22, 61}, // A
		},
		Hours: Hours{
			Fractions: []Fraction{{80, .38}, {50, .28}, {75, .08}, {60, .05}, {66, .03}, {40, .06}, {30, .06}, {20, .06}}, // A
			OlderFrom: 52, Older: 1.35,                                                                                    // Em
			Rise: .8, // S: 20.5 % (2003), 25-27 % (since 2009)
		},
		Wage: Wages{
			Median2021: 42400, Intercept: -.173, // D: full-time, full-year median 2021
			Index: map[int]float64{2003: 0, 2004: 1.6, 2005: 2.2, 2006: 1.8, 2007: 1.8, 2008: 4.2, 2009: .6, 2010: 1.7, 2011: 3.1, 2012: 2.65,
				2013: 1.24, 2014: .4, 2015: 1.05, 2016: 2.1, 2017: 1.84, 2018: 1.84, 2019: 1.46, 2020: .99, 2021: 2.01}, // Eh: health index, %
			Drift:      map[int]float64{2003: .5, 2009: .1, 2017: .3},                                                                                            // Em: above the index, % from that year on
			AgeAt:      [][2]float64{{18, -.45}, {20, -.38}, {25, -.24}, {30, -.13}, {35, -.06}, {40, 0}, {45, .06}, {50, .12}, {55, .17}, {60, .22}, {66, .24}}, // A from S
			SectorPart: .5,                                                                                                                                       // A
			WomenGap:   [2]float64{.10, .035},                                                                                                                    // S*: raw gap 10 % (2010), .6-4 % (2019-21)
			WorkerSD:   .173, FirmSD: .11, NoiseSD: .115, Sorting: .35,                                                                                           // A: shares 22, 9, 14 % of the variance
			FirmAR: .97, SizePremium: .02, // A; Em .02-.03 controlled
			TopShare: .05, TopAlpha: 4, // D: Pareto top 5 %
			Minimum2021: 19700,                        // Eh: guaranteed minimum monthly income x 13.92 x .8693
			RiseShare:   .06, RiseAge: [2]int{22, 35}, // A
		},
		Accounts: Accounts{
			NeverFile: .01, SkipYear: .015, // A
			EmployeeRSZ:  .1307,                                               // Eh
			Contribution: map[int]float64{2003: 1.34, 2016: 1.31, 2018: 1.28}, // A around Eh: tax shift lowered the base rate from 32.4 to 25 %
			CostNoise:    .025,
			HoursPerFTE:  1530, HoursSD: .03, // A
			MachineryRate: .022, MachineryMix: .6, RateSD: .7, YearSD: .31, Inertia: .6, Depreciation: .13, // A
			AssetsPerSales: .45, AssetsSD: .5, SalesSD: .5, // A
			SpikeMedian: 7.5, SpikeSD: .35, SpikeMin: 3, // A, so that most events pass the three-times rule
			Schema: []SchemaRule{ // S: thresholds of the company code
				{2003, 50, 6.25e6, 3.125e6, 100, false, 0, 0, 0},
				{2005, 50, 7.3e6, 3.65e6, 100, false, 0, 0, 0},
				{2016, 50, 9.0e6, 4.5e6, 1e9, true, 10, 7e5, 3.5e5},
			},
			Spread:     .08, // A
			KernelStay: .86, // A: share whose study level the employer reports as the register has it
		},
		Network: Network{
			TopShare: .63, TopSD: .2, Decay: .5, // S*: top buyer 63 %, top five 87 % of network sales
			Buyers:     [5]float64{.08, .12, .15, .2, .45}, // A
			SameRegion: .25,                                // with S* 47.5 % of links inside the same NUTS2 in view
			Keep:       .9,                                 // S: Japan 92-93 % for main partners
			Attach:     .9,                                 // A; S: 1.08 for all new links in Hungary
			MainBuyer:  .10,                                // D: design warning of the calibration facts
		},
		Adopt: Adoption{
			First: 2005, Last: 2018, // A
			BySize:     [9]float64{.025, .025, .10, .10, .28, .28, .5, .5, .5}, // A; 200-249 counted with 250+
			FirmEffect: .04, Growth: .5,                                        // A
		},
		Cycle: map[int]float64{2003: .002, 2004: .01, 2005: .012, 2006: .014, 2007: .017, 2008: .012, 2009: -.006, 2010: .006, 2011: .01, 2012: -.002,
			2013: -.005, 2014: .004, 2015: .009, 2016: .013, 2017: .017, 2018: .012, 2019: .012, 2020: -.004, 2021: .02}, // S 2009-10, 2016-18; rest Em
	}
	c.FieldOf, c.Tilts = belgianDependence()
	return c
}

// share2012 and so on: see the levels in facts 3c (A, anchored on census and
// register totals); premiums against upper secondary (A on S*: bachelor +21 %,
// master +60 %).
func belgianLevels() []Level {
	low, sec := [4]float64{.8, .2, 0, 0}, [4]float64{0, 1, 0, 0}
	high, univ := [4]float64{0, 0, 1, 0}, [4]float64{0, 0, 0, 1}
	return []Level{
		{"U", [3]string{"unknown", "onbekend", "inconnu"}, 14, 9, 7, -.10, GroupUnknown, 18, .8, [4]float64{.3, .5, .12, .08}, .02, .4, ""},
		{"L01", [3]string{"none", "geen", "aucun"}, 2.5, 2, 1.5, -.18, GroupLow, 18, .5, low, 0, .1, ""},
		{"L02", [3]string{"primary", "lager onderwijs", "primaire"}, 9, 6.5, 4.5, -.15, GroupLow, 18, .5, low, 0, .12, ""},
		{"L03", [3]string{"lower secondary, general", "lager secundair, algemeen", "secondaire inférieur, général"}, 6, 5, 4, -.10, GroupLow, 18, .6, sec, .01, .3, "L06"},
		{"L04", [3]string{"lower secondary, technical or art", "lager secundair, technisch of kunst", "secondaire inférieur, technique ou artistique"}, 4.5, 3.7, 3, -.09, GroupLow, 18, .5, sec, .01, .22, "L07"},
		{"L05", [3]string{"lower secondary, vocational", "lager secundair, beroeps", "secondaire inférieur, professionnel"}, 7, 6, 5, -.10, GroupLow, 18, .4, sec, 0, .12, "L08"},
		{"L06", [3]string{"upper secondary, general", "hoger secundair, algemeen", "secondaire supérieur, général"}, 9, 9.7, 10, .01, GroupMid, 18, 1, sec, .02, .6, ""},
		{"L07", [3]string{"upper secondary, technical or art", "hoger secundair, technisch of kunst", "secondaire supérieur, technique ou artistique"}, 11, 12.5, 13.5, .03, GroupMid, 18, .9, sec, .02, .5, "L11"},
		{"L08", [3]string{"upper secondary, vocational", "hoger secundair, beroeps", "secondaire supérieur, professionnel"}, 12, 13.2, 14, -.04, GroupMid, 18, .5, sec, .01, .25, "L09"},
		{"L09", [3]string{"post-secondary, not tertiary", "postsecundair, niet tertiair", "post-secondaire non supérieur"}, 2, 2.6, 3, -.01, GroupMid, 19, .7, sec, .02, .4, "L11"},
		{"L10", [3]string{"short cycle (HBO5)", "graduaat (HBO5)", "cycle court"}, .8, 1, 1.5, .10, GroupBachelor, 20, 1, high, .03, .75, "L11"},
		{"L11", [3]string{"professional bachelor", "professionele bachelor", "bachelier professionnalisant"}, 12.3, 15.2, 17.5, .19, GroupBachelor, 21, 1.25, high, .06, .85, "L13"},
		{"L12", [3]string{"academic bachelor", "academische bachelor", "bachelier académique"}, .7, 1.2, 2, .22, GroupBachelor, 21, 1.35, univ, .07, .88, "L14"},
		{"L13", [3]string{"master of a college", "master hogeschool", "master haute école"}, 2.6, 3.1, 3.5, .38, GroupMaster, 22, 1.5, [4]float64{0, 0, .5, .5}, .14, .84, ""},
		{"L14", [3]string{"university master", "master universiteit", "master universitaire"}, 6.2, 8.7, 9.3, .47, GroupMaster, 23, 1.5, univ, .2, .79, "L15"},
		{"L15", [3]string{"doctorate", "doctoraat", "doctorat"}, .4, .6, .7, .58, GroupMaster, 27, 1.5, univ, .22, .78, ""},
	}
}

// Fields are the narrow fields of ISCED-F 2013. Premiums Em; odds of women A.
func belgianFields() []Field {
	return []Field{
		{"001", "basic programmes and qualifications", 0, 1},
		{"002", "literacy and numeracy", 0, 1},
		{"003", "personal skills and development", 0, 1},
		{"011", "education", -.04, 4},
		{"021", "arts", -.08, 1.3},
		{"022", "humanities (except languages)", -.08, 1.2},
		{"023", "languages", -.06, 3},
		{"031", "social and behavioural sciences", -.02, 1.7},
		{"032", "journalism and information", -.03, 1.4},
		{"041", "business and administration", .03, 1.3},
		{"042", "law", .04, 1.4},
		{"051", "biological and related sciences", .02, 1.4},
		{"052", "environment", 0, 1},
		{"053", "physical sciences", .06, .7},
		{"054", "mathematics and statistics", .06, .6},
		{"061", "information and communication technologies", .07, .2},
		{"071", "engineering and engineering trades", .06, .1},
		{"072", "manufacturing and processing", 0, .9},
		{"073", "architecture and construction", .01, .12},
		{"081", "agriculture", -.03, .6},
		{"082", "forestry", -.03, .3},
		{"083", "fisheries", -.03, .3},
		{"084", "veterinary", 0, 1.8},
		{"091", "health", .05, 4},
		{"092", "welfare", -.07, 7},
		{"101", "personal services", -.09, 1.6},
		{"102", "hygiene and occupational health services", 0, 1},
		{"103", "security services", 0, .3},
		{"104", "transport services", 0, .2},
		{"099", "unknown or not stated", -.02, 1},
	}
}
