using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Npgsql;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Bench;

/// <summary>What is measured, and how.</summary>
public static partial class Measures
{
    private const int Connections = 32;
    private const int Rounds = 3;

    /// <summary>Three starts on a database that exists; PostgreSQL is stopped in between.</summary>
    public static async Task StartAsync(Stage stage, Figures figures)
    {
        System.Console.Error.WriteLine("==> Starting three times");
        var times = new List<double>();
        for (var round = 0; round < Rounds; round++)
        {
            NpgsqlConnection.ClearAllPools();
            await stage.StopServerAsync();
            times.Add(await stage.StartServerAsync());
        }
        figures.Start(times.Order().ElementAt(Rounds / 2));
    }

    /// <summary>Both throughputs and, on the way, the memory.</summary>
    public static async Task LoadAsync(Stage stage, Figures figures, int seconds, HashSet<string> wanted)
    {
        await stage.StopServerAsync();
        await stage.StartServerAsync();
        var idle = ResidentMegabytes(stage.ServerProcessId);
        var peak = idle;
        if (wanted.Overlaps(["all", "generate", "memory"]))
        {
            var (ours, ceiling) = await CompareAsync(stage, "generate", GenerateRequest, Generate, seconds);
            figures.Generate(ours, ceiling);
            peak = Math.Max(peak, ResidentMegabytes(stage.ServerProcessId));
        }
        if (wanted.Overlaps(["all", "status", "memory"]))
        {
            var (ours, ceiling) = await CompareAsync(stage, "status", StatusRequest, Status, seconds);
            figures.Status(ours, ceiling);
            peak = Math.Max(peak, ResidentMegabytes(stage.ServerProcessId));
        }
        figures.Memory(idle, peak);
    }

    private static async Task<(double Ours, double Ceiling)> CompareAsync(
        Stage stage,
        string name,
        Func<Stage, int, byte[]> request,
        string script,
        int seconds
    )
    {
        // Once for warming up, then in turns, so that whatever the machine does happens to both.
        await LoadGenerator.RunAsync(stage, request, Connections, Math.Min(seconds, 4));
        await PgbenchAsync(stage, script, Math.Min(seconds, 4));
        var (ours, ceiling) = (new List<double>(), new List<double>());
        for (var round = 1; round <= Rounds; round++)
        {
            System.Console.Error.WriteLine($"==> {name}, round {round} of {Rounds}");
            await stage.ExecuteAsync("checkpoint");
            ceiling.Add(await PgbenchAsync(stage, script, seconds));
            await stage.ExecuteAsync("checkpoint");
            ours.Add(await LoadGenerator.RunAsync(stage, request, Connections, seconds));
        }
        return (ours.Order().ElementAt(Rounds / 2), ceiling.Order().ElementAt(Rounds / 2));
    }

    // A colon before a word would be a variable of pgbench, hence the spaces in the JSON. The claims are those that the server sends: who, which role, which session. The numbers are put together by PostgreSQL,
    // which costs it next to nothing.
    private const string Switch = """
        \set n random(100001, 101000)
        \startpipeline
        select set_config('role', 'authenticated', true), set_config('request.jwt.claims', '{"iss":"http://localhost/auth/v1","sub":"00000000-0000-4000-8000-000000' || :n || '","aud":"authenticated","role":"authenticated","iat": 1790000000,"exp": 1990000000,"session_id":"00000000-0000-4000-8001-000000' || :n || '","aal":"aal1","amr":[{"method":"anonymous","timestamp": 1790000000}],"is_anonymous": true,"email":"","phone":"","app_metadata":{},"user_metadata":{}}', true);
        """;

    private const string Generate =
        Switch
        + "\n"
        + """
            select * from generate_video(gen_random_uuid(), '{"model_id":"a0000000-0000-4000-8000-000000000001","theme_id": null,"prompt":"A paper boat on a quiet lake","settings":{"duration": 8},"image_url": null}'::jsonb, '127.0.0.1'::inet, '{"guest": null,"member": 20,"premium": 100,"guest_ip": null,"window_seconds": 3600}'::jsonb, 1800);
            \endpipeline
            """;

    private const string Status =
        Switch
        + "\n"
        + """
            select * from get_video_status(('00000000-0000-7000-8002-000000' || :n)::uuid);
            \endpipeline
            """;

    private static byte[] GenerateRequest(Stage stage, int user)
    {
        const string body = """{"model_id":"a0000000-0000-4000-8000-000000000001","prompt":"A paper boat on a quiet lake","settings":{"duration":8}}""";
        return Encoding.ASCII.GetBytes(
            $"POST /generate-video HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {stage.Tokens[user]}\r\nContent-Type: application/json\r\nIdempotency-Key: {Guid.NewGuid()}\r\nContent-Length: {body.Length}\r\n\r\n{body}"
        );
    }

    private static byte[] StatusRequest(Stage stage, int user) =>
        Encoding.ASCII.GetBytes(
            $"GET /get-video-status?job_id={Stage.JobId(Stage.FirstUser + user)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {stage.Tokens[user]}\r\n\r\n"
        );

    private static async Task<double> PgbenchAsync(Stage stage, string script, int seconds)
    {
        var file = Path.Combine(stage.DataDirectory, "pgbench.sql");
        await File.WriteAllTextAsync(file, script);
        var owner = new NpgsqlConnectionStringBuilder(stage.Owner);
        var start = new ProcessStartInfo(
            FindPgbench(),
            [
                "-n",
                "-M",
                "prepared",
                "-c",
                $"{Connections}",
                "-j",
                "2",
                "-T",
                $"{seconds}",
                "-f",
                file,
                "-h",
                owner.Host!,
                "-p",
                $"{owner.Port}",
                "-U",
                "reelbase_api",
                owner.Database!,
            ]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["PGPASSWORD"] = ConnectionStrings.DerivePassword(stage.Owner, "reelbase_api") },
        };
        using var pgbench = Process.Start(start)!;
        var errors = pgbench.StandardError.ReadToEndAsync();
        var text = await pgbench.StandardOutput.ReadToEndAsync();
        await pgbench.WaitForExitAsync();
        return Tps().Match(text) is { Success: true } match && pgbench.ExitCode == 0
            ? double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
            : throw new InvalidOperationException($"pgbench failed: {await errors}");
    }

    private static string FindPgbench() =>
        Directory.Exists("/usr/lib/postgresql")
            ? Directory.EnumerateDirectories("/usr/lib/postgresql").Order().Select(folder => Path.Combine(folder, "bin", "pgbench")).Last(File.Exists)
            : "pgbench";

    private static double ResidentMegabytes(int processId)
    {
        using var process = Process.GetProcessById(processId);
        return process.WorkingSet64 / 1024.0 / 1024.0;
    }

    [GeneratedRegex(@"tps = ([\d.]+) \(without")]
    private static partial Regex Tps();
}
