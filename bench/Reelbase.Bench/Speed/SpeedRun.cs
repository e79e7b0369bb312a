using Npgsql;

namespace Reelbase.Bench.Speed;

/// <summary>Everything that is measured, each thing in turns with its ceiling and its peer, so that whatever the machine does happens to all of them.</summary>
public sealed class SpeedRun(SpeedOptions options, SpeedReport report)
{
    private const int Rounds = 3;
    private const int ShortQueue = 1_000;
    private const int WaitingForStatus = 20_000;
    private const int LongQueue = 28_000;
    private const int VeryLongQueue = 1_000_000;
    private const int Finished = 200_000;

    /// <summary>How long a server that has just started is asked before anything counts: its code is compiled again as it gets hot.</summary>
    private const double CompileSeconds = 8;
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(5);

    public async Task RunAsync()
    {
        if (options.Wants("start", "memory", "status", "accept"))
        {
            await using var stage = await Stage.PrepareAsync();
            await FreshAsync(stage);
        }
        if (options.Wants("waiting", "claim", "aged") || options.HasMillion)
        {
            await using var stage = await Stage.PrepareAsync();
            await AgedAsync(stage);
        }
    }

    private async Task FreshAsync(Stage stage)
    {
        if (options.Wants("start"))
        {
            System.Console.Error.WriteLine("==> Starting three times, and three times with PostgreSQL");
            var (nodes, both) = (new List<double>(), new List<double>());
            for (var round = 0; round < Rounds; round++)
            {
                nodes.Add(await stage.TimeNodeAsync());
            }
            for (var round = 0; round < Rounds; round++)
            {
                NpgsqlConnection.ClearAllPools();
                await stage.StopServerAsync();
                both.Add(await stage.StartServerAsync());
            }
            report.Start("from the start of the process to ready on a migrated database, every role", nodes, 1);
            report.Start("the role api alone, its private PostgreSQL started on the way", both, double.NaN);
        }
        await stage.StopServerAsync();
        NpgsqlConnection.ClearAllPools();
        await stage.StartServerAsync();
        await Task.Delay(Rest);
        var idle = stage.ResidentMegabytes;
        if (options.Wants("status", "accept"))
        {
            using var field = await Field.PrepareAsync(stage);
            await field.Ours(Names.Status, random => Scripts.StatusRequest(stage, random)).MeasureAsync(CompileSeconds);
            if (options.Wants("status"))
            {
                using var empty = await EmptyEndpoint.StartAsync();
                report.Status(
                    "fresh",
                    await field.MeasureAsync(
                        "status, fresh",
                        options.Seconds,
                        Rounds,
                        field.Direct(Names.Read, stage.Owner, Scripts.ReferenceStatus),
                        field.Http(Names.Empty, [empty.Port], [empty.ProcessId], Scripts.EmptyRequest),
                        field.Direct(Names.StatusFunction, field.Ground.Login("reelbase_api"), Scripts.OurStatus),
                        field.Ours(Names.Status, random => Scripts.StatusRequest(stage, random)),
                        field.Peer(Names.Peer, Scripts.PeerStatusRequest)
                    )
                );
            }
            if (options.Wants("accept"))
            {
                // Its code is another one than the status's, and as cold.
                await field.Ours(Names.Accept, random => Scripts.AcceptRequest(stage, random)).MeasureAsync(CompileSeconds);
                report.Accept("fresh", await AcceptAsync(field, stage, "fresh"));
            }
        }
        if (options.Wants("memory"))
        {
            report.Memory(idle, stage.ResidentMegabytes);
        }
    }

    private async Task AgedAsync(Stage stage)
    {
        using var field = await Field.PrepareAsync(stage);
        if (options.Wants("waiting"))
        {
            await field.Ours(Names.None, random => Scripts.StatusRequest(stage, random)).MeasureAsync(CompileSeconds);
            report.None(
                await field.MeasureAsync(
                    "status, none waiting",
                    options.Seconds,
                    Rounds,
                    field.Ours(Names.None, random => Scripts.StatusRequest(stage, random))
                )
            );
        }
        var claims = new Claims(stage, field.Ground);
        if (options.Wants("claim"))
        {
            await field.Ground.FillQueueAsync(ShortQueue);
            report.Claim(await claims.MeasureAsync(ShortQueue));
        }
        if (options.Wants("waiting"))
        {
            await field.Ground.FillQueueAsync(WaitingForStatus);
            var waiting = await stage.WaitingJobsAsync();
            report.Waiting(
                await field.MeasureAsync(
                    "status, 20,000 waiting",
                    options.Seconds,
                    Rounds,
                    field.Ours(
                        Names.Waiting,
                        random =>
                        {
                            var (job, number) = waiting[random.Next(waiting.Count)];
                            return Scripts.StatusRequest(stage.Tokens[number - Stage.FirstUser], job);
                        }
                    ),
                    field.Ours(Names.Finished, random => Scripts.StatusRequest(stage, random))
                )
            );
        }
        if (options.Wants("claim"))
        {
            await field.Ground.FillQueueAsync(LongQueue);
            report.Claim(await claims.MeasureAsync(LongQueue));
        }
        if (options.Wants("aged"))
        {
            await field.Ground.FillQueueAsync(WaitingForStatus);
            await field.AgeAsync(Finished);
            report.Status(
                "aged",
                await field.MeasureAsync(
                    "status, aged",
                    options.Seconds,
                    Rounds,
                    field.Direct(Names.Read, stage.Owner, Scripts.ReferenceStatus),
                    field.Ours(Names.Status, random => Scripts.StatusRequest(stage, random)),
                    field.Peer(Names.Peer, Scripts.PeerStatusRequest)
                )
            );
            report.Accept("aged", await AcceptAsync(field, stage, "aged"));
        }
        if (options.HasMillion)
        {
            await field.Ground.FillQueueAsync(VeryLongQueue);
            report.Claim(await claims.MeasureAsync(VeryLongQueue));
        }
    }

    private async Task<List<Series>> AcceptAsync(Field field, Stage stage, string age)
    {
        await field.Ground.AddModelsAsync();
        return await field.MeasureAsync(
            $"accept, {age}",
            options.Seconds,
            Rounds,
            field.Direct(Names.Reference, stage.Owner, Scripts.ReferenceAccept),
            field.Direct(Names.AcceptFunction, field.Ground.Login("reelbase_api"), Scripts.OurAccept()),
            field.Direct(Names.AcceptSpread, field.Ground.Login("reelbase_api"), Scripts.OurSpreadAccept),
            field.Ours(Names.Accept, random => Scripts.AcceptRequest(stage, random)),
            field.Peer(Names.Peer, Scripts.PeerAcceptRequest)
        );
    }
}
