using Reelbase.Bench;
using Reelbase.Bench.Console;
using Reelbase.Bench.Faults;
using Reelbase.Bench.Flood;
using Reelbase.Bench.Import;
using Reelbase.Bench.Realtime;

if (args is ["faults", .. var rest])
{
    return await FaultVerb.RunAsync(rest);
}

if (args is ["flood", .. var flood])
{
    return await FloodVerb.RunAsync(flood);
}

if (args is ["import", .. var import])
{
    return await ImportVerb.RunAsync(import);
}

if (args is ["console", .. var more])
{
    return await ConsoleVerb.RunAsync(more);
}

if (args is ["realtime", .. var live])
{
    return await RealtimeVerb.RunAsync(live);
}

if (args is [BareEcho.Verb])
{
    return await BareEcho.ServeAsync();
}

// reelbase bench [generate] [status] [memory] [start] [--seconds N] [--record]
string[] known = ["generate", "status", "memory", "start"];
if (args is ["--help" or "-h", ..])
{
    System.Console.WriteLine(
        """
        ./reelbase bench [generate] [status] [memory] [start] [--seconds N] [--record]
            generate   accepted generations per second, against pgbench calling the same function
            status     status answers per second, against pgbench running the same transaction
            memory     resident memory of the server, idle and under load
            start      time from the start of the process to ready
            --seconds  length of one round (default 8; three rounds of each, the median counts)
            --record   write the figures to bench/figures.md
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
        ./reelbase bench import [--users N] [--record]
            import 1,000 users, ten times as many, and so on up to N (default 100,000), beside psql \copy of the same rows
            --record   write the figures to bench/import.md
        ./reelbase bench realtime [--connections N] [--seconds N] [--record]
            clients of Supabase's channels at one server: at most 30 kB a connection, changes within 100 ms (p95) while 100 jobs a second finish,
            beside a bare echo of Kestrel and PostgreSQL's own NOTIFY (default 10,000 connections, 30 s)
            --record   write the figures to bench/realtime.md
        """
    );
    return 0;
}
var seconds =
    Array.IndexOf(args, "--seconds") is var at and >= 0 && at + 1 < args.Length && int.TryParse(args[at + 1], out var given) ? Math.Clamp(given, 1, 120) : 8;
var wanted = args.Where(known.Contains).DefaultIfEmpty("all").ToHashSet();
if (
    args.FirstOrDefault(argument => !argument.StartsWith("--", StringComparison.Ordinal) && !known.Contains(argument) && !int.TryParse(argument, out _)) is
    { } unknown
)
{
    System.Console.Error.WriteLine($"bench: there is no {unknown}; ./reelbase bench --help says what there is");
    return 2;
}
await using var stage = await Stage.PrepareAsync();
var figures = new Figures();
if (wanted.Overlaps(["all", "start"]))
{
    await Measures.StartAsync(stage, figures);
}
if (wanted.Overlaps(["all", "generate", "status", "memory"]))
{
    await Measures.LoadAsync(stage, figures, seconds, wanted);
}
figures.Print();
if (args.Contains("--record"))
{
    figures.Record(args);
}
return figures.IsGood ? 0 : 1;
