using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Npgsql;

namespace Reelbase.Server.Platform.Database;

/// <summary>
/// A PostgreSQL of our own in a data directory, made from the programs on this machine, for whoever has no database yet.
/// It listens on loopback only, with a random password, and outlives a killed server: the next start takes it over.
/// </summary>
public sealed partial class PrivateCluster
{
    private const string DatabaseName = "reelbase";
    private const int LowestPort = 15_000;
    private const int HighestPort = 32_000;
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly string _directory;
    private readonly string _bin;
    private readonly string[] _asPostgres;
    private readonly IReadOnlyDictionary<string, string> _settings;

    private PrivateCluster(string directory, string bin, string[] asPostgres, IReadOnlyDictionary<string, string> settings)
    {
        _directory = directory;
        _bin = bin;
        _asPostgres = asPostgres;
        _settings = settings;
    }

    /// <summary>The superuser's connection string to the cluster's one database.</summary>
    public string ConnectionString { get; private set; } = "";

    /// <summary>The process id of the postmaster.</summary>
    public int ProcessId { get; private set; }

    /// <summary>Whether a running server of an earlier start was taken over.</summary>
    public bool WasRunning { get; private set; }

    /// <summary>Makes the cluster when it is new, starts it when it is not running, and answers when it accepts connections.</summary>
    /// <param name="directory">Its home; made when missing. Holds <c>data</c>, <c>password</c> and <c>server.log</c>.</param>
    /// <param name="binDirectory">Where PostgreSQL's programs are, or null to search the usual places.</param>
    /// <param name="settings">Server settings beyond the defaults; they apply at the next start of the server.</param>
    /// <exception cref="PrivateClusterException">Says in one sentence what is wrong and what to do.</exception>
    public static async Task<PrivateCluster> StartAsync(
        string directory,
        string? binDirectory,
        IReadOnlyDictionary<string, string> settings,
        CancellationToken cancellationToken
    )
    {
        var bin =
            FindPrograms(binDirectory)
            ?? throw new PrivateClusterException(
                "PostgreSQL 15 or newer was not found on this machine: install it (Debian: apt-get install postgresql-15; "
                    + "macOS: brew install postgresql@17), or set Database:ConnectionString to a database you have"
            );
        var asPostgres = await UnprivilegedPrefixAsync(cancellationToken);
        var home = HomeOf(directory, asPostgres);
        var cluster = new PrivateCluster(home, bin, asPostgres, settings);
        await cluster.CreateIfMissingAsync(cancellationToken);
        await cluster.StartServerAsync(cancellationToken);
        await cluster.CreateDatabaseIfMissingAsync(cancellationToken);
        return cluster;
    }

    /// <summary>Stops the server cleanly; what is committed is on disk either way.</summary>
    public async Task StopAsync(CancellationToken cancellationToken) =>
        await RunAsync(["pg_ctl", "stop", "-D", DataDirectory, "-m", "fast", "-w", "-t", "30"], cancellationToken);

    private string DataDirectory => Path.Combine(_directory, "data");

    private string PasswordFile => Path.Combine(_directory, "password");

    private static string? FindPrograms(string? given)
    {
        if (given is not null)
        {
            return File.Exists(Path.Combine(given, "initdb")) ? given : null;
        }
        string[] roots = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "/usr/pgsql-17", "/usr/pgsql-16", "/usr/pgsql-15"];
        var found = roots
            .Where(Directory.Exists)
            .SelectMany(root => Directory.EnumerateDirectories(root).Append(root))
            .Select(folder => Path.Combine(folder, "bin"))
            .Where(bin => File.Exists(Path.Combine(bin, "initdb")) && File.Exists(Path.Combine(bin, "postgres")))
            .Select(bin => (bin, version: MajorVersion(bin)))
            .Where(candidate => candidate.version >= 15)
            .OrderByDescending(candidate => candidate.version)
            .Select(candidate => candidate.bin)
            .FirstOrDefault();
        return found
            ?? (Environment.GetEnvironmentVariable("PATH") ?? "")
                .Split(':')
                .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")) && MajorVersion(folder) >= 15);
    }

    private static int MajorVersion(string bin)
    {
        // "/usr/lib/postgresql/15/bin" and "/opt/homebrew/opt/postgresql@17/bin" say it; otherwise ask the program.
        var digits = new string(Path.GetFileName(Path.GetDirectoryName(bin) ?? "").Reverse().TakeWhile(char.IsAsciiDigit).Reverse().ToArray());
        if (int.TryParse(digits, CultureInfo.InvariantCulture, out var named) && named < 100)
        {
            return named;
        }
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(bin, "initdb"), ["--version"]) { RedirectStandardOutput = true });
        var words = process?.StandardOutput.ReadToEnd().Split(' ', '.', '\n') ?? [];
        return words.Select(word => int.TryParse(word, CultureInfo.InvariantCulture, out var number) ? number : 0).FirstOrDefault(number => number > 0);
    }

    /// <summary>PostgreSQL refuses to run as root; as root, its programs are run as the account <c>postgres</c>.</summary>
    private static async Task<string[]> UnprivilegedPrefixAsync(CancellationToken cancellationToken)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return [];
        }
        if ((await TryRunAsync(["id", "-u", "postgres"], cancellationToken)).ExitCode != 0)
        {
            var made = await TryRunAsync(["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "postgres"], cancellationToken);
            if (made.ExitCode != 0)
            {
                throw new PrivateClusterException(
                    "PostgreSQL does not run as root and there is no account named postgres: create one (useradd --system postgres) or start Reelbase as an ordinary user"
                );
            }
        }
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "env", "-u", "PGPASSWORD", "HOME=/nonexistent"];
    }

    private static bool IsReachableByOthers(string path)
    {
        for (var folder = Directory.GetParent(path); folder is not null; folder = folder.Parent)
        {
            if (folder.Exists && (folder.UnixFileMode & UnixFileMode.OtherExecute) == 0)
            {
                return false;
            }
        }
        return true;
    }

    private async Task CreateIfMissingAsync(CancellationToken cancellationToken)
    {
        if (File.Exists(Path.Combine(DataDirectory, "PG_VERSION")) && File.Exists(PasswordFile))
        {
            return;
        }
        // A first start that was killed half-way leaves a directory without a complete cluster; it holds nothing yet.
        if (Directory.Exists(DataDirectory))
        {
            if (File.Exists(Path.Combine(DataDirectory, "PG_VERSION")) && File.Exists(Path.Combine(DataDirectory, "reelbase.ready")))
            {
                throw new PrivateClusterException($"the password file of the private PostgreSQL is gone: restore {PasswordFile}");
            }
            Directory.Delete(DataDirectory, recursive: true);
        }
        Directory.CreateDirectory(_directory);
        File.Delete(PasswordFile);
        var fresh = PasswordFile + ".new";
        await Storage.PrivateFiles.WriteAsync(fresh, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24)), cancellationToken);
        if (_asPostgres.Length > 0)
        {
            await RunPlainAsync(["chown", "postgres:", _directory, fresh], cancellationToken);
        }
        await RunAsync(
            ["initdb", "-D", DataDirectory, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", fresh, "--locale=C.UTF-8", "-E", "UTF8", "--data-checksums"],
            cancellationToken,
            retryWithout: "--locale=C.UTF-8"
        );
        await File.WriteAllTextAsync(Path.Combine(DataDirectory, "reelbase.ready"), "", cancellationToken);
        File.Move(fresh, PasswordFile, overwrite: true);
    }

    private async Task StartServerAsync(CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var lastProblem = "";
        var wasStartedHere = false;
        while (watch.Elapsed < StartLimit)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (ReadPidFile() is (var pid, var port))
            {
                switch (WhatIs(pid))
                {
                    case Found.Postgres when await AcceptsAsync(port, cancellationToken):
                        WasRunning = !wasStartedHere;
                        return;
                    case Found.Postgres or Found.Dying:
                        // Recovering, shutting down, or a killed one that nobody has cleaned up yet: try again shortly.
                        await Task.Delay(100, cancellationToken);
                        continue;
                    case Found.Other:
                        // The number was given to another program since; PostgreSQL would refuse to start over this file.
                        File.Delete(Path.Combine(DataDirectory, "postmaster.pid"));
                        break;
                }
            }
            var started = await TryRunAsync([.. _asPostgres, .. StartCommand(AnyPort())], cancellationToken);
            wasStartedHere |= started.ExitCode == 0;
            if (started.ExitCode != 0)
            {
                // Backends of a killed server may still hold its shared memory for a moment.
                lastProblem = started.Output;
                await Task.Delay(200, cancellationToken);
            }
        }
        var log = Path.Combine(_directory, "server.log");
        throw new PrivateClusterException(
            $"the private PostgreSQL did not start within {StartLimit.TotalSeconds:0} s; its log is {log}. {Tail(log)} {lastProblem.Trim()}"
        );
    }

    // PostgreSQL cannot be configured to choose a port itself, and a socket instead has a path of 107 bytes at most. So it tries: from below the numbers that
    // systems give to outgoing connections, and again with another when somebody listens there; what it got stands in its pid file.
    private static int AnyPort() => RandomNumberGenerator.GetInt32(LowestPort, HighestPort);

    private string[] StartCommand(int port)
    {
        var settings = new Dictionary<string, string>
        {
            ["listen_addresses"] = "127.0.0.1",
            // A socket path longer than 107 bytes keeps the server from starting; loopback has no such limit.
            ["unix_socket_directories"] = "",
            ["port"] = port.ToString(CultureInfo.InvariantCulture),
            ["max_connections"] = "200",
            ["shared_buffers"] = "128MB",
            // Refusals are raised by our own functions and answered to the caller; the server log is for real trouble.
            ["log_min_messages"] = "fatal",
        };
        foreach (var (name, value) in _settings)
        {
            settings[name] = value;
        }
        var options = string.Join(' ', settings.Select(setting => $"-c {setting.Key}='{setting.Value}'"));
        return [Path.Combine(_bin, "pg_ctl"), "start", "-D", DataDirectory, "-w", "-t", "30", "-l", Path.Combine(_directory, "server.log"), "-o", options];
    }

    private async Task<bool> AcceptsAsync(int port, CancellationToken cancellationToken)
    {
        var builder = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = port,
            Database = "postgres",
            Username = "postgres",
            Password = (await File.ReadAllTextAsync(PasswordFile, cancellationToken)).Trim(),
            Timeout = 3,
            Pooling = false,
        };
        try
        {
            await using var connection = new NpgsqlConnection(builder.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            builder.Database = DatabaseName;
            // The short timeout belongs to this query alone.
            builder.Remove("Pooling");
            builder.Remove("Timeout");
            ConnectionString = builder.ConnectionString;
            ProcessId = ReadPidFile()?.Pid ?? 0;
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private async Task CreateDatabaseIfMissingAsync(CancellationToken cancellationToken)
    {
        var server = new NpgsqlConnectionStringBuilder(ConnectionString) { Database = "postgres", Pooling = false };
        await using var connection = new NpgsqlConnection(server.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var exists = new NpgsqlCommand($"select 1 from pg_database where datname = '{DatabaseName}'", connection);
        if (await exists.ExecuteScalarAsync(cancellationToken) is null)
        {
            await using var create = new NpgsqlCommand($"create database {DatabaseName}", connection);
            await create.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private (int Pid, int Port)? ReadPidFile()
    {
        try
        {
            // PostgreSQL manual, "Database File Layout": line 1 is the process id, line 4 the port.
            var lines = File.ReadAllLines(Path.Combine(DataDirectory, "postmaster.pid"));
            return lines.Length >= 4 ? (int.Parse(lines[0], CultureInfo.InvariantCulture), int.Parse(lines[3], CultureInfo.InvariantCulture)) : null;
        }
        catch (Exception error) when (error is IOException or FormatException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private enum Found
    {
        Nothing,
        Postgres,
        Dying,
        Other,
    }

    private static Found WhatIs(int pid)
    {
        using var process = Process.Start(
            new ProcessStartInfo("ps", ["-p", pid.ToString(CultureInfo.InvariantCulture), "-o", "stat=,comm="]) { RedirectStandardOutput = true }
        )!;
        var line = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return line switch
        {
            "" => Found.Nothing,
            _ when line.StartsWith('Z') => Found.Dying,
            _ when line.Contains("postgres", StringComparison.Ordinal) || line.Contains("postmaster", StringComparison.Ordinal) => Found.Postgres,
            _ => Found.Other,
        };
    }

    private static string Tail(string file)
    {
        try
        {
            return string.Join(' ', File.ReadLines(file).TakeLast(3));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private async Task RunAsync(string[] command, CancellationToken cancellationToken, string? retryWithout = null)
    {
        string[] Full(IEnumerable<string> words) => [.. _asPostgres, Path.Combine(_bin, command[0]), .. words.Skip(1)];
        var result = await TryRunAsync(Full(command), cancellationToken);
        if (result.ExitCode != 0 && retryWithout is not null)
        {
            result = await TryRunAsync(Full(command.Where(word => word != retryWithout).Append("--locale=C")), cancellationToken);
        }
        if (result.ExitCode != 0)
        {
            throw new PrivateClusterException($"{command[0]} failed: {result.Output.Trim()}");
        }
    }

    private static async Task RunPlainAsync(string[] command, CancellationToken cancellationToken)
    {
        var result = await TryRunAsync(command, cancellationToken);
        if (result.ExitCode != 0)
        {
            throw new PrivateClusterException($"{command[0]} failed: {result.Output.Trim()}");
        }
    }

    private static async Task<(int ExitCode, string Output)> TryRunAsync(string[] command, CancellationToken cancellationToken)
    {
        // The output goes through files and not pipes: a started server would inherit a pipe and keep it open for ever.
        var output = Path.Combine(Path.GetTempPath(), "reelbase-" + Guid.NewGuid().ToString("N"));
        var start = new ProcessStartInfo("/bin/sh", ["-c", "out=$1; shift; cd / && exec \"$@\" >\"$out\" 2>&1 </dev/null", "sh", output, .. command]);
        try
        {
            using var process = Process.Start(start)!;
            await process.WaitForExitAsync(cancellationToken);
            return (process.ExitCode, File.Exists(output) ? await File.ReadAllTextAsync(output, cancellationToken) : "");
        }
        finally
        {
            File.Delete(output);
        }
    }
}

/// <summary>The private PostgreSQL cannot be had; the message says why and what to do.</summary>
public sealed class PrivateClusterException(string message) : Exception(message);
