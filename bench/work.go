//go:build linux

package main

// work is a measurement that fills one or more rows of the table.
type work struct {
	name    string // for -only
	method  string
	goals   []goal // one for each row that measure returns, in their order
	measure func(settings) ([]row, error)
}

// goal is what a row is about and what it must reach.
type goal struct{ title, target string }

// row is an outcome.
type row struct {
	goal
	ours, peer string // figures with units, medians of the rounds; peer may be empty
	result     string // the ratio, or the figure itself where there is no peer
	reached    bool
}

// frameworkMethod is how an application with costs of its own is measured.
const frameworkMethod = "as hello; gunicorn with a sync worker behind nginx over a Unix socket; the overhead is CPU per request beyond" +
	" that of a call of the application without a server"

// scriptMethod is how a script that prints a line is measured.
const scriptMethod = "8 keep-alive connections, a process for each request; lighttpd with mod_cgi, both without access log; server and scripts share one core"

// frameworkGoals are the rows of such an application.
func frameworkGoals(title string) []goal {
	return []goal{
		{title + ", requests per second", "≥ 1.1 × nginx + gunicorn"},
		{"the same", "≥ 1.0 × nginx + uWSGI"},
		{"the same, what the server adds: CPU per request", "≤ 0.5 × nginx + uWSGI"},
	}
}

// works lists all there is to measure, in the order of the table.
func works() []work {
	return []work{
		{
			name: "file-1k", goals: []goal{{"1 KB file, CPU per request", "≤ 0.85 × nginx"}},
			method:  "64 keep-alive connections, browser headers; nginx with open_file_cache, both without access log",
			measure: compareFile("/1k.html", 64, true, startNginxStatic, 0.85),
		},
		{
			name: "file-1k-nopush", goals: []goal{{"the same, nginx with tcp_nopush", "≤ 0.85 × nginx"}},
			method:  "as above; nginx sends head and file together, which saves it a packet",
			measure: compareFile("/1k.html", 64, true, startNginxNoPush, 0.85),
		},
		{
			name: "file-10m", goals: []goal{{"10 MB file, CPU per request", "≤ 1.0 × nginx"}},
			method:  "16 keep-alive connections; nginx with sendfile and tcp_nopush",
			measure: compareFile("/10m.bin", 16, false, startNginxNoPush, 1.0),
		},
		{
			name: "routes", goals: []goal{{"1 KB file behind one of 10, 200, 2,000 routes, CPU per request", "≤ 1.1 × behind the only one"}},
			method:  "routes of [[sites]] to one folder; 64 keep-alive connections, browser headers, no access log; the worst number counts",
			measure: compareRoutes(siteRoutes),
		},
		{
			name: "routes-webapps", goals: []goal{{"the same, one of so many static applications in webapps", "≤ 1.1 × the only one"}},
			method:  "as above",
			measure: compareRoutes(staticWebapps),
		},
		{
			name: "idle", goals: []goal{{"10,000 idle connections, memory each", "≤ 6 KB"}},
			method:  "one request on each, then idle; growth of resident memory over the freshly started server, divided by connections",
			measure: measureIdle,
		},
		{
			name: "start", goals: []goal{{"process start to first answer, static", "< 50 ms"}},
			method:  "fork and exec to the first byte of a 200 answer, median of 20",
			measure: measureStart,
		},
		{
			name: "wsgi-hello", goals: []goal{
				{"WSGI hello, requests per second", "≥ 2.0 × nginx + uWSGI"},
				{"the same, CPU per request", "≤ 0.5 × nginx + uWSGI"},
			},
			method:  "one worker, server and worker share one core, 64 keep-alive connections; uWSGI behind nginx over a Unix socket",
			measure: compareHello,
		},
		{
			name: "flask-json", goals: frameworkGoals("Flask, a JSON route"), method: frameworkMethod,
			measure: compareFramework(board, func(settings) error { return nil }),
		},
		{
			name: "django-sqlite", goals: frameworkGoals("Django, a view with one SQLite query"), method: frameworkMethod,
			measure: compareFramework(shop, stockShop),
		},
		{
			name: "peers", goals: []goal{{"WSGI hello, requests per second", "≥ 1.0 × the fastest peer"}},
			method:  "everybody with one worker process, all of a server's processes on one core, 64 keep-alive connections, no access log",
			measure: comparePeers,
		},
		{
			name: "memory", goals: []goal{
				{"upload of 100 MB, growth of memory", "< 32 MB"},
				{"the same, slow client", "< 32 MB"},
				{"generated download of 100 MB, growth of memory", "< 32 MB"},
				{"the same, slow client", "< 32 MB"},
			},
			method: "server, template and worker together: each one's peak of resident memory over what it had after a request with" +
				" a tiny body; the worst round; the slow client stands still for 2 s, then moves at most 20 MB/s",
			measure: measureMemory,
		},
		{
			name: "reload", goals: []goal{
				{"reloads of the Django example under load, failed requests", "0"},
				{"the same, longest request above the median without reloads", "< 500 ms"},
			},
			method:  "SIGHUP again and again, each when the one before is done; 8 keep-alive connections ask without pause, 2 workers",
			measure: measureReload,
		},
		{
			name: "deploy-p99", goals: []goal{{"an application while another is deployed, p99", "≤ 1.5 × without"}},
			method: "two small applications in webapps, on one core; one is deployed again and again, each time when it was done and nothing has changed" +
				" for a second; 2 keep-alive connections ask the other without pause; median of ten pairs",
			measure: measureDeploy,
		},
		{
			name: "fork", goals: []goal{{"kill -9 of the only worker to an answer of the next", "< 30 ms"}},
			method:  "a Django application in a fresh server; noticing the death and one request are included; median of 20",
			measure: measureFork,
		},
		{
			name: "poisson", goals: []goal{
				{"Poisson arrivals, a view that sleeps 5 ms, p99", "≤ 1.2 × the ideal"},
				{"the same", "≤ 1.0 × nginx + gunicorn"},
				{"the same", "≤ 1.0 × nginx + uWSGI"},
			},
			method: "640 arrivals a second that wait for nobody, 4 workers with one thread each; a request's time begins when it was due;" +
				" the ideal is one queue before 4 workers that take exactly 5 ms, with the same arrivals",
			measure: measurePoisson,
		},
		{
			name: "cgi-hello-warm", goals: []goal{{"CGI, hello.py as it is served, requests per second", "≥ 8.0 × lighttpd"}},
			method:  scriptMethod,
			measure: compareScript("hello.py", gatehouseScripts(), 8),
		},
		{
			name: "cgi-hello-cold", goals: []goal{{"CGI, hello.py cold, requests per second", "≥ 1.0 × lighttpd"}},
			method:  scriptMethod,
			measure: compareScript("hello.py", gatehouseCold, 1),
		},
		{
			name: "cgi-hello-c", goals: []goal{{"CGI, hello compiled from C, requests per second", "≥ 1.0 × lighttpd"}},
			method:  scriptMethod,
			measure: compareScript("hello", gatehouseScripts(), 1),
		},
		{
			name: "cgi-stream", goals: []goal{
				{"CGI, 1 GB out of a script", "≥ 0.8 × cat"},
				{"the same, growth of the server's memory", "< 16 MB"},
			},
			method: "dd writes zeros in pieces of 64 KB, as a script and into a pipe before cat, whose output is read from another pipe;" +
				" memory is the server's peak over what it had after a small answer, the worst round",
			measure: measureStream,
		},
	}
}
