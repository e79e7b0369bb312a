using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Reelbase.Server.Features.Jobs.GenerateVideo;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Bench.Realtime;

/// <summary>Users with a job under way each, and the finishing of those jobs as another node's worker does it: <c>complete_video_job</c>, COMMIT, then the feed.</summary>
public sealed class FinishedJobs(int users, int jobs)
{
    private const string Claim = "bench/realtime";
    private const int FirstNumber = 1_000_001;
    private const int Connections = 8;
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(15);

    private readonly long[] _before = new long[jobs];
    private readonly long[] _after = new long[jobs];
    private readonly long[] _arrived = new long[jobs];
    private int _count;

    /// <summary>A user's id.</summary>
    public static Guid UserId(int user) => Guid.Parse($"00000000-0000-4000-9000-00000{FirstNumber + user}");

    /// <summary>The id of that user's session.</summary>
    public static Guid SessionId(int user) => Guid.Parse($"00000000-0000-4000-9001-00000{FirstNumber + user}");

    /// <summary>Makes everything in bulk, as the owner. Each user has a finished job too, and as many under way as are to be finished.</summary>
    public Task InsertAsync(Stage stage) =>
        stage.ExecuteAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                create table bench_users as select n, ('00000000-0000-4000-9000-00000' || {FirstNumber} + n)::uuid as id from generate_series(0, {users - 1}) n;
                insert into users (id, is_guest) select id, true from bench_users;
                insert into sessions (id, user_id) select ('00000000-0000-4000-9001-00000' || {FirstNumber} + n)::uuid, id from bench_users;
                insert into video_jobs (job_id, user_id, model_id, model_name, prompt, status, stage, video_url, credits_used, created_at, completed_at)
                select ('00000000-0000-7000-9002-00000' || {FirstNumber} + n)::uuid, id, '{Stage.Model}', 'Veo 3.1 Fast', 'A paper boat on a quiet lake', 'completed', 'finished', 'a/b.mp4', 8,
                  now() - interval '1 hour', now() - interval '1 hour' from bench_users;
                create table bench_jobs as select k, ('00000000-0000-7000-9003-00000' || {FirstNumber} + k)::uuid as job_id, u.id as user_id
                from generate_series(0, {Math.Max(users, jobs) - 1}) k join bench_users u on u.n = k % {users};
                insert into video_jobs (job_id, user_id, model_id, model_name, prompt, status, stage, credits_used, attempt, leased_by, lease_until, deadline_at)
                select job_id, user_id, '{Stage.Model}', 'Veo 3.1 Fast', 'A paper boat on a quiet lake', 'processing', 'fetching', 8, 1, '{Claim}', now() + interval '1 day', now() + interval '1 day'
                from bench_jobs;
                insert into storage_objects (bucket, name, user_id, job_id)
                select b, job_id || case b when 'videos' then '/v.mp4' else '/t.jpg' end, user_id, job_id from bench_jobs, unnest(array['videos', 'thumbnails']) b;
                create table bench_notes as select n from generate_series(0, 99) n;
                analyze;
                """
            )
        );

    /// <summary>Takes note of a change that a client got, if it is the end of one of the jobs.</summary>
    public void Note(ReadOnlySpan<byte> text, long at)
    {
        var mark = "\"job_id\":\"00000000-0000-7000-9003-00000"u8;
        var start = text.IndexOf(mark);
        if (
            start >= 0
            && text.IndexOf("\"status\":\"completed\""u8) >= 0
            && int.TryParse(text.Slice(start + mark.Length, 7), CultureInfo.InvariantCulture, out var number)
            && number - FirstNumber is var job
            && job >= 0
            && job < jobs
            && Interlocked.CompareExchange(ref _arrived[job], at, 0) == 0
        )
        {
            Interlocked.Increment(ref _count);
        }
    }

    /// <summary>Finishes all jobs, so many a second, and waits for the last changes.</summary>
    public async Task<Latencies> FinishAsync(Stage stage, int perSecond)
    {
        var strings = ConnectionStrings.From(new DatabaseOptions(), stage.Owner);
        using var feed = new ChangeFeed(strings, NullLogger<ChangeFeed>.Instance);
        await feed.StartAsync(CancellationToken.None);
        const string finish =
            "select complete_video_job($1, $2, $1 || '/v.mp4', 4000000, 'video/mp4', $1 || '/t.jpg', 20000, 'image/jpeg', '{\"duration_seconds\":8,\"width\":1280,\"height\":720,\"fps\":24,\"has_audio\":true}')";
        var seconds = await PaceAsync(
            strings.Worker,
            finish,
            perSecond,
            job => [new NpgsqlParameter { Value = JobId(job) }, new NpgsqlParameter { Value = Claim }],
            job => feed.Publish(VideoJobWorker.TopicOf(JobId(job)))
        );
        for (var watch = Stopwatch.StartNew(); Volatile.Read(ref _count) < jobs && watch.Elapsed < Late; )
        {
            await Task.Delay(50);
        }
        await feed.StopAsync(CancellationToken.None);
        return Latencies.From(_before, _after, _arrived, jobs / seconds);
    }

    /// <summary>The ceiling: transactions of one update with <c>pg_notify</c> in them, at the same pace, and one connection that listens.</summary>
    public static async Task<Latencies> NotifyAsync(Stage stage, int count, int perSecond)
    {
        var own = new FinishedJobs(1, count);
        await using var listener = new NpgsqlConnection(stage.Owner);
        await listener.OpenAsync();
        listener.Notification += (_, notice) =>
        {
            own._arrived[int.Parse(notice.Payload, CultureInfo.InvariantCulture)] = Stopwatch.GetTimestamp();
            own._count++;
        };
        await using (var listen = new NpgsqlCommand("listen bench_notes", listener))
        {
            await listen.ExecuteNonQueryAsync();
        }
        var pace = own.PaceAsync(
            stage.Owner,
            "with u as (update bench_notes set n = n where n = $1 % 100 returning n) select pg_notify('bench_notes', $1::text) from u",
            perSecond,
            job => [new NpgsqlParameter { Value = job }],
            _ => { }
        );
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds((count / perSecond) + Late.TotalSeconds));
        while (own._count < count)
        {
            await listener.WaitAsync(limit.Token);
        }
        return Latencies.From(own._before, own._after, own._arrived, count / await pace);
    }

    /// <summary>The id of a job that is to be finished.</summary>
    public static Guid JobId(int job) => Guid.Parse($"00000000-0000-7000-9003-00000{FirstNumber + job}");

    /// <summary>One transaction for each job at its time, over a few connections; answers how long that took.</summary>
    private async Task<double> PaceAsync(string database, string sql, int perSecond, Func<int, NpgsqlParameter[]> parameters, Action<int> committed)
    {
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(
            Enumerable
                .Range(0, Connections)
                .Select(async worker =>
                {
                    await using var connection = new NpgsqlConnection(database);
                    await connection.OpenAsync();
                    for (var job = worker; job < _before.Length; job += Connections)
                    {
                        var wait = TimeSpan.FromSeconds((double)job / perSecond) - watch.Elapsed;
                        if (wait > TimeSpan.Zero)
                        {
                            await Task.Delay(wait);
                        }
                        await using var transaction = await connection.BeginTransactionAsync();
                        await using var command = new NpgsqlCommand(sql, connection, transaction);
                        command.Parameters.AddRange(parameters(job));
                        if (await command.ExecuteScalarAsync() is false)
                        {
                            throw new InvalidOperationException("a job could not be finished");
                        }
                        _before[job] = Stopwatch.GetTimestamp();
                        await transaction.CommitAsync();
                        _after[job] = Stopwatch.GetTimestamp();
                        committed(job);
                    }
                })
        );
        return watch.Elapsed.TotalSeconds;
    }
}
