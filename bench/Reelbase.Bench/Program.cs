using Reelbase.Bench.Console;
using Reelbase.Bench.Faults;
using Reelbase.Bench.Flood;
using Reelbase.Bench.Growth;
using Reelbase.Bench.Import;
using Reelbase.Bench.Load;
using Reelbase.Bench.Realtime;
using Reelbase.Bench.Speed;
using Reelbase.Bench.Streams;

if (args is ["faults", .. var rest])
{
    return await FaultVerb.RunAsync(rest);
}

if (args is ["flood", .. var flood])
{
    return await FloodVerb.RunAsync(flood);
}

if (args is [SignedInTraffic.Verb, var port])
{
    return await SignedInTraffic.ServeAsync(int.Parse(port, System.Globalization.CultureInfo.InvariantCulture));
}

if (args is [BareRefusals.Verb])
{
    return await BareRefusals.ServeAsync();
}

if (args is ["import", .. var import])
{
    return await ImportVerb.RunAsync(import);
}

if (args is ["console", .. var more])
{
    return await ConsoleVerb.RunAsync(more);
}

if (args is ["growth", .. var growth])
{
    return await GrowthVerb.RunAsync(growth);
}

if (args is ["realtime", .. var live])
{
    return await RealtimeVerb.RunAsync(live);
}

if (args is ["streams", .. var streams])
{
    return await StreamsVerb.RunAsync(streams);
}

if (args is [BareEcho.Verb])
{
    return await BareEcho.ServeAsync();
}

if (args is ["load", .. var load])
{
    return await LoadVerb.RunAsync(load);
}

if (args is [EmptyEndpoint.Verb])
{
    return await EmptyEndpoint.ServeAsync();
}

if (args is ["--help" or "-h", ..])
{
    System.Console.WriteLine(
        """
        ./reelbase bench [start] [memory] [status] [accept] [waiting] [claim] [aged] [--seconds N] [--million] [--json FILE] [--with FILE] [--record]
            each figure beside its ceiling (a reference transaction in pgbench, an empty endpoint) and its peer (a hand-made flow on Node) in the same run
            start      time from the start of the process to ready
            memory     resident memory of the server, idle and after the rounds
            status     get-video-status of finished jobs over HTTP, 32 connections
            accept     generate-video over HTTP, 32 connections
            waiting    status while 20,000 jobs wait, against none waiting
            claim      a worker's claim of the next jobs, with 1,000 and 28,000 waiting
            aged       accept and status with 200,000 finished jobs and 20,000 waiting
            --million  claims with 1,000,000 jobs of 100,000 users waiting too (some ten minutes more)
            --seconds  length of one round (default 5; three rounds of each, the median counts)
            --json     write everything to a file, for programs
            --with     add what an earlier run of the other parts wrote with --json
            --record   write bench/figures.md, docs/performance.md and its plots
        ./reelbase bench load [--minutes M] [--rate N] [--record]
            one node with every role under the mixed traffic of an app's day (default 5 minutes, 200 requests a second): its memory idle and
            under load, whether it goes on growing, and PostgreSQL's beside it
            --record   write the figures to bench/load.md
        ./reelbase bench faults [--minutes M] [--seed S] [--record]
            fifty users while the server and PostgreSQL are killed and providers fail; then every promise about credits is checked
            --minutes  how long things are broken (default 5); --seed: the same faults again (default: another each time)
            --record   write the report to docs/reliability.md
        ./reelbase bench flood [--connections N] [--addresses N] [--seconds N] [--record]
            ten times every limit from many addresses while signed-in users go on; then the promises: accepted within 2 % of the limits,
            their p95 at most doubled, memory flat, no more in error_log than its sample (default 10,000 connections, 1,000 addresses, 60 s)
            --record   write the figures to bench/flood.md
        ./reelbase bench console [--users N] [--record]
            seed N users (default 1,000,000), five jobs and ten ledger rows each, and measure everything that the console asks
            --record   write the figures to bench/console.md
        ./reelbase bench growth [--jobs N[,N...]] [--record]
            the same requests on 10,000, 1,000,000 and 10,000,000 jobs: pages that PostgreSQL touches and milliseconds that it takes; no more than
            1.3 times of the smallest (some half an hour and 20 GB for ten million)
            --record   write the figures to bench/growth.md
        ./reelbase bench import [--users N] [--record]
            import 1,000 users, ten times as many, and so on up to N (default 100,000), beside psql \copy of the same rows
            --record   write the figures to bench/import.md
        ./reelbase bench realtime [--connections N] [--seconds N] [--record]
            clients of Supabase's channels at one server: at most 30 kB a connection, changes within 100 ms (p95) while 100 jobs a second finish,
            beside a bare echo of Kestrel and PostgreSQL's own NOTIFY (default 10,000 connections, 30 s)
            --record   write the figures to bench/realtime.md
        ./reelbase bench streams [--streams N] [--waiting N] [--seconds N] [--record]
            event streams of jobs at one node: at most 20 kB each, 5 % of a core for 2,000 of 600 waiting jobs that see nothing happen, and changes
            within 100 ms (p95) while 500 jobs a second finish, beside bare streams of Kestrel (default 10,000 and 2,000 streams, 20 s)
            --record   write the figures to bench/streams.md
        """
    );
    return 0;
}
return await SpeedVerb.RunAsync(args);
