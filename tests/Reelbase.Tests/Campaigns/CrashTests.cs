using System.Net;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Campaigns;

/// <summary>A durable PostgreSQL, and a server that dies as often as it likes.</summary>
[Campaign]
public sealed class CrashTests(CrashTests.Durable system) : IClassFixture<CrashTests.Durable>
{
    private static readonly int Kills = Campaign.Share(8, 100);
    private const int Users = 25;
    private static readonly string[] Directives =
    [
        "",
        "[slow 1]",
        "[no-webhook]",
        "[twice]",
        "[fail]",
        "[reject]",
        "[429]",
        "[500]",
        "[forged]",
        "[late-webhook 2]",
        "[timeout]",
        "[lost]",
        "[garbage]",
        "[foreign]",
    ];

    /// <summary>The pretend outside world in this process; PostgreSQL and the server in theirs.</summary>
    public sealed class Durable : TestSystem
    {
        private PrivateCluster? _cluster;

        public override async ValueTask InitializeAsync()
        {
            // fsync and synchronous_commit stay on: what was accepted must survive for real.
            _cluster = await PrivateCluster.StartAsync(
                Path.Combine(TestCluster.Home, "durable"),
                null,
                new Dictionary<string, string>(),
                CancellationToken.None
            );
            DurableOwner = _cluster.ConnectionString;
            await base.InitializeAsync();
            await Server.StopAsync();
            Process = await ServerProcess.StartAsync(Url, ProcessSettings);
        }

        public override async ValueTask DisposeAsync()
        {
            await (Process?.DisposeAsync() ?? default);
            await base.DisposeAsync();
            Npgsql.NpgsqlConnection.ClearAllPools();
            await (_cluster?.StopAsync(CancellationToken.None) ?? Task.CompletedTask);
        }

        /// <summary>The owner of the durable database.</summary>
        public string DurableOwner { get; private set; } = "";

        /// <summary>The server that gets killed.</summary>
        public ServerProcess? Process { get; set; }

        /// <summary>Its settings at each start.</summary>
        public Dictionary<string, string?> ProcessSettings
        {
            get
            {
                var settings = BaseSettings(Url, SimulatorsUrl, DataDirectory);
                settings["Database:ConnectionString"] = DurableOwner;
                settings["Generation:SubmissionDeadlineSeconds"] = "25";
                settings["Work:LeaseSeconds"] = "3";
                settings["Devices:TurnSeconds"] = "3";
                return settings;
            }
        }

        public async Task<List<string>> DurableRowsAsync(string sql)
        {
            await using var connection = new Npgsql.NpgsqlConnection(DurableOwner);
            await connection.OpenAsync();
            await using var command = new Npgsql.NpgsqlCommand(sql, connection);
            await using var reader = await command.ExecuteReaderAsync();
            var rows = new List<string>();
            while (await reader.ReadAsync())
            {
                rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(column => reader.GetValue(column))));
            }
            return rows;
        }
    }

    [Fact]
    public async Task Every_accepted_job_ends_and_every_ledger_adds_up_although_the_server_is_killed_again_and_again()
    {
        var random = new Random(Campaign.Seed);
        var accepted = new System.Collections.Concurrent.ConcurrentBag<string>();
        using var over = new CancellationTokenSource();
        var users = Enumerable.Range(0, Users).Select(number => PlayAsync(number, accepted, over.Token)).ToList();
        for (var kill = 0; kill < Kills; kill++)
        {
            await Task.Delay(random.Next(400, 1400));
            await system.Process!.KillAsync();
            await system.Process.DisposeAsync();
            system.Process = await ServerProcess.StartAsync(system.Url, system.ProcessSettings);
        }
        await over.CancelAsync();
        await Task.WhenAll(users);
        Assert.True(accepted.Count >= Users, $"only {accepted.Count} jobs were accepted");

        await Eventually.IsAsync(
            () => system.DurableRowsAsync("select stage, count(*) from video_jobs where stage <> 'finished' group by 1"),
            left => left.Count == 0,
            120
        );
        var jobs = await system.DurableRowsAsync("select job_id from video_jobs");
        // An answer that was lost on the way belongs to a job all the same; what was answered must be there.
        Assert.Empty(accepted.Except(jobs));
        Assert.Empty(
            await system.DurableRowsAsync(
                """
                select j.job_id, j.status, count(*) filter (where q.reason = 'video_generation'), count(*) filter (where q.reason = 'generation_failed_refund')
                from video_jobs j left join quota_log q using (job_id)
                group by j.job_id
                having count(*) filter (where q.reason = 'video_generation') <> 1
                  or count(*) filter (where q.reason = 'generation_failed_refund') <> (case j.status when 'failed' then 1 else 0 end)
                """
            )
        );
        Assert.Empty(await system.DurableRowsAsync("select * from check_ledger()"));
        Assert.Empty(
            await system.DurableRowsAsync(
                "select job_id from video_jobs where status = 'completed' and not exists (select from storage_objects o where o.job_id = video_jobs.job_id and o.bucket = 'videos' and o.state = 'stored')"
            )
        );
        var requests = await system.Control.GetFromJsonAsync<System.Text.Json.JsonElement>("/_control/fal/requests");
        var twice = requests
            .GetProperty("requests")
            .EnumerateArray()
            .GroupBy(request => request.GetProperty("input").GetProperty("prompt").GetString())
            .Where(group => group.Count() > 1)
            .Select(group => group.Key);
        Assert.Empty(twice);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{accepted.Count} jobs accepted under {Kills} kills: {string.Join(", ", await system.DurableRowsAsync("select status, coalesce(error_code, ''), count(*) from video_jobs group by 1, 2 order by 1, 2"))}"
        );
    }

    [Fact]
    public async Task A_server_killed_between_setting_the_bit_and_granting_grants_once_after_it_is_back()
    {
        var device = "killed-" + Guid.NewGuid();
        var ids = Enumerable.Range(0, 50).Select(_ => Guid.NewGuid().ToString()).ToList();
        // Apple does its work at once and answers late: the server dies while the bit is set and the credits are not given.
        await using var outage = await system.OutageAsync("devicecheck/v1/update_two_bits", "slow");
        var checks = ids.Select(async id =>
            {
                try
                {
                    await Phone.CheckAsync(system.Url, id, Phone.TokenOf(device));
                }
                catch (HttpRequestException)
                {
                    // The answer died with the server.
                }
            })
            .ToList();
        await Eventually.IsAsync(
            () => system.Control.GetStringAsync("/_control/devicecheck/devices"),
            devices => devices.Contains(device, StringComparison.Ordinal)
        );
        await system.Process!.KillAsync();
        await outage.EndAsync();
        await Task.WhenAll(checks);
        Assert.Equal(
            ["0"],
            await system.DurableRowsAsync($"select count(*) from quota_log q join device_grants g using (user_id) where g.device_id in ({List(ids)})")
        );
        await system.Process.DisposeAsync();
        system.Process = await ServerProcess.StartAsync(system.Url, system.ProcessSettings);
        // The phones try again, as the app does.
        var again = await Task.WhenAll(ids.Select(id => Phone.CheckAsync(system.Url, id, Phone.TokenOf(device))));
        Assert.All(again, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        await Eventually.IsAsync(
            () => system.DurableRowsAsync($"select count(*) from device_grants where decided_at is null and device_id in ({List(ids)})"),
            rows => rows is ["0"]
        );
        Assert.Equal(
            ["1|10"],
            await system.DurableRowsAsync(
                $"select count(*), sum(change) from quota_log q where q.user_id in (select id from users where device_id in ({List(ids)}))"
            )
        );
        Assert.Empty(await system.DurableRowsAsync("select * from check_ledger()"));
    }

    private static string List(IEnumerable<string> ids) => string.Join(',', ids.Select(id => $"internal.device_id_hash('{id}')"));

    /// <summary>One user: presses, and repeats with the same key until an answer comes, as a good client does.</summary>
    private async Task PlayAsync(int number, System.Collections.Concurrent.ConcurrentBag<string> accepted, CancellationToken over)
    {
        var deviceId = Guid.NewGuid().ToString();
        Phone? phone = null;
        for (var round = 0; round < 4; round++)
        {
            var key = Guid.NewGuid();
            while (true)
            {
                try
                {
                    if (phone is null)
                    {
                        phone = await Phone.OnboardAsync(system.Url, deviceId);
                        await system.DurableRowsAsync($"select add_credits('{phone.UserId}', 100, 'admin_adjustment', 'gift-{phone.UserId}')::text");
                    }
                    var answer = await phone.GenerateAsync($"User {number} round {round} {Directives[(number + (round * 5)) % Directives.Length]}", key);
                    Assert.True(answer.Status is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, answer.Text);
                    if (answer.Status == HttpStatusCode.OK)
                    {
                        accepted.Add(answer["job_id"].GetString()!);
                        break;
                    }
                }
                catch (Exception error) when (error is HttpRequestException or TaskCanceledException or IOException)
                {
                    await Task.Delay(100, CancellationToken.None);
                }
            }
            if (!over.IsCancellationRequested)
            {
                await Task.Delay(TimeSpan.FromSeconds(4), over).ContinueWith(_ => { }, TaskScheduler.Default);
            }
        }
    }
}
