package world

// The domains that are kept free for examples (RFC 2606): no mail can reach anybody.
var mailDomains = []string{"example.com", "example.org", "example.net"}

type place struct{ city, state, postalCode string }

// country is what the names and addresses of a country's people are made of.
type country struct {
	women, men, last, streets []string
	places                    []place
}

var nigerianNames = country{
	women: []string{
		"Aisha", "Amaka", "Adaeze", "Bisi", "Blessing", "Chiamaka", "Chidinma", "Ebele", "Efe", "Fatima",
		"Folake", "Funmilayo", "Grace", "Halima", "Ifeoma", "Kemi", "Maryam", "Ngozi", "Nkechi", "Omolara",
		"Patience", "Ronke", "Sade", "Temitope", "Titilayo", "Uche", "Yetunde", "Zainab",
	},
	men: []string{
		"Abdullahi", "Adebayo", "Adewale", "Babatunde", "Chidi", "Chinedu", "Chukwuemeka", "Ebuka", "Emeka",
		"Femi", "Gbenga", "Ibrahim", "Ikenna", "Kayode", "Kunle", "Mohammed", "Musa", "Nnamdi", "Obinna",
		"Olumide", "Osagie", "Segun", "Sunday", "Tobi", "Tunde", "Usman", "Yakubu", "Yusuf",
	},
	last: []string{
		"Abubakar", "Adebayo", "Adeleke", "Afolabi", "Akande", "Akpan", "Aliyu", "Balogun", "Bello",
		"Chukwu", "Danjuma", "Edet", "Eze", "Garba", "Ibekwe", "Igwe", "Lawal", "Mohammed", "Nwachukwu",
		"Nwosu", "Obi", "Ogunleye", "Ojo", "Okafor", "Okeke", "Okonkwo", "Okoro", "Oladipo", "Onyeka",
		"Sani", "Uzoma", "Yusuf",
	},
	streets: []string{
		"Adeola Odeku Street", "Ahmadu Bello Way", "Allen Avenue", "Awolowo Road", "Broad Street",
		"Herbert Macaulay Way", "Market Road", "Ogui Road", "Ring Road", "Victoria Island",
	},
	places: []place{
		{"Lagos", "Lagos", "101233"},
		{"Ikeja", "Lagos", "100271"},
		{"Abuja", "FCT", "900211"},
		{"Port Harcourt", "Rivers", "500101"},
		{"Ibadan", "Oyo", "200211"},
		{"Enugu", "Enugu", "400102"},
		{"Kano", "Kano", "700213"},
		{"Benin City", "Edo", "300211"},
		{"Kaduna", "Kaduna", "800211"},
		{"Abeokuta", "Ogun", "110211"},
	},
}

var indianNames = country{
	women: []string{
		"Aarti", "Ananya", "Anjali", "Deepika", "Divya", "Isha", "Kavita", "Lakshmi", "Meera", "Neha",
		"Pooja", "Priya", "Radha", "Shreya", "Sunita", "Swati",
	},
	men: []string{
		"Aarav", "Aditya", "Amit", "Arjun", "Devratna", "Gaurav", "Karan", "Manish", "Nikhil", "Rahul",
		"Rajesh", "Rohit", "Sanjay", "Suresh", "Vikram", "Vivek",
	},
	last: []string{
		"Agarwal", "Arya", "Bhat", "Chauhan", "Desai", "Gupta", "Iyer", "Jain", "Joshi", "Kapoor", "Khan",
		"Kumar", "Mehta", "Nair", "Patel", "Rao", "Reddy", "Sharma", "Singh", "Verma",
	},
	streets: []string{
		"Brigade Road", "Gandhi Nagar", "Linking Road", "MG Road", "Nehru Place", "Okhala Phase 2",
		"Park Street", "Station Road",
	},
	places: []place{
		{"Mumbai", "Maharashtra", "400001"},
		{"New Delhi", "Delhi", "110001"},
		{"Bengaluru", "Karnataka", "560001"},
		{"Jaipur", "Rajasthan", "302001"},
		{"Pune", "Maharashtra", "411001"},
		{"Hyderabad", "Telangana", "500001"},
		{"Chennai", "Tamil Nadu", "600001"},
		{"Ahmedabad", "Gujarat", "380001"},
	},
}

var (
	employers = []string{
		"ABC Company Ltd", "Blue River Logistics", "City General Hospital", "Harmattan Foods", "Lotus Textiles",
		"Monsoon Software", "Northgate Schools", "Palm Grove Hotels", "Savannah Telecoms", "Sunrise Cement",
	}
	jobTitles = []string{
		"Accountant", "Civil Engineer", "Clerk", "Driver", "Nurse", "Pharmacist", "Sales Manager",
		"Software Engineer", "Supervisor", "Teacher",
	}
	trades = []string{"Caterer", "Electrician", "Farmer", "Mechanic", "Retailer", "Tailor", "Wholesaler"}
)
