using System.Diagnostics;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace Reelbase.Bench.Speed;

/// <summary>The claims of one length of the queue, in milliseconds and in order, with the reference's beside them.</summary>
/// <param name="Pages">Pages of 8 kB that a claim of ours touches in memory or on disk.</param>
public sealed record ClaimTimes(int Waiting, List<double> Ours, List<double> Reference, long Pages);

/// <summary>
/// Claims of the next jobs as a worker makes them, each committed, in turns with the reference's (the oldest first, whoever they belong to). The jobs of a claim are ended before
/// the next one, which is not counted: the places at the provider stay free.
/// </summary>
public sealed class Claims(Stage stage, Ground ground)
{
    private const int JobsPerClaim = 4;
    private const int Warmups = 5;
    private const int MaxSamples = 200;
    private const int MinSamples = 20;
    private const double Seconds = 12;
    private const string Rules = """{"fal": {"concurrency": 100000}, "*": {"room": {"settle": 16}, "reads_model_rows": true}}""";

    public async Task<ClaimTimes> MeasureAsync(int waiting)
    {
        System.Console.Error.WriteLine($"==> Claims of {JobsPerClaim} jobs");
        // A short queue must not be used up by what is measured.
        var samples = Math.Min(MaxSamples, waiting / JobsPerClaim / 5);
        await using var worker = new NpgsqlConnection(ground.Login("reelbase_worker"));
        await worker.OpenAsync();
        await using var owner = new NpgsqlConnection(stage.Owner);
        await owner.OpenAsync();
        await using var claim = Command(worker, "select job_id from claim_video_jobs($1, 60, $2, $3)", "", JobsPerClaim);
        claim.Parameters.Add(new() { Value = Rules, NpgsqlDbType = NpgsqlDbType.Jsonb });
        await claim.PrepareAsync();
        await using var oldest = Command(owner, "select * from ref.claim($1)", JobsPerClaim);
        await oldest.PrepareAsync();
        var (ours, reference) = (new List<double>(), new List<double>());
        var watch = Stopwatch.StartNew();
        for (var number = 0; number < samples + Warmups && (number < MinSamples || watch.Elapsed.TotalSeconds < Seconds); number++)
        {
            var token = $"bench/{number}";
            claim.Parameters[0].Value = token;
            var (jobs, took) = await TimeAsync(claim);
            var (others, tookOthers) = await TimeAsync(oldest);
            if (jobs.Count != JobsPerClaim || others.Count != JobsPerClaim)
            {
                throw new InvalidOperationException($"a claim handed out {jobs.Count} of {JobsPerClaim} jobs, the reference's {others.Count}");
            }
            if (number >= Warmups)
            {
                ours.Add(took);
                reference.Add(tookOthers);
            }
            foreach (var job in jobs)
            {
                await using var end = Command(worker, "select fail_video_job($1, $2, 'ERR_5001', 'bench')", job, token);
                await end.ExecuteNonQueryAsync();
            }
        }
        ours.Sort();
        reference.Sort();
        return new(waiting, ours, reference, await PagesAsync(worker));
    }

    private static async Task<(List<Guid> Jobs, double Milliseconds)> TimeAsync(NpgsqlCommand command)
    {
        var jobs = new List<Guid>();
        var asked = Stopwatch.GetTimestamp();
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                jobs.Add(reader.GetGuid(0));
            }
        }
        return (jobs, Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
    }

    private static async Task<long> PagesAsync(NpgsqlConnection worker)
    {
        await using var transaction = await worker.BeginTransactionAsync();
        await using var explain = Command(
            worker,
            $"explain (analyze, buffers, format json) select job_id from claim_video_jobs('bench/explain', 60, {JobsPerClaim}, '{Rules}')"
        );
        using var plan = JsonDocument.Parse((string)(await explain.ExecuteScalarAsync())!);
        await transaction.RollbackAsync();
        var root = plan.RootElement[0].GetProperty("Plan");
        return root.GetProperty("Shared Hit Blocks").GetInt64() + root.GetProperty("Shared Read Blocks").GetInt64();
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params object[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new() { Value = parameter });
        }
        return command;
    }
}
