using System.CommandLine;
using System.Text.Json;
using Reelbase.Server.Doctor;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Cli;

/// <summary>
/// <c>doctor [--json] [--database URL]</c>: checks an installation as it is configured here and says one line for each thing: ok, warning or fault, with
/// the key and the remedy. Changes nothing. The exit code is 0, 1 with warnings, 2 with faults.
/// </summary>
internal static class DoctorCommand
{
    private static readonly JsonSerializerOptions AsJson = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    /// <summary>The verb.</summary>
    public static Command New()
    {
        var json = Words.Flag("--json", "as JSON, for programs");
        var database = Words.Database();
        Command verb = new(
            "doctor",
            "check an installation: keys, clocks, addresses, proxies, storage, webhooks, caps, backups; ends with 0, 1 (warnings) or 2 (faults)"
        )
        {
            json,
            database,
        };
        verb.SetAction((result, _) => RunAsync(result.GetValue(database), result.GetValue(json)));
        return verb;
    }

    private static async Task<int> RunAsync(string? given, bool isJson)
    {
        var findings = await ExamineAsync(Installation.NewBuilder([]), given);
        if (isJson)
        {
            Console.WriteLine(
                JsonSerializer.Serialize(
                    findings.Select(finding => new
                    {
                        level = finding.Level.ToString().ToLowerInvariant(),
                        check = finding.Check,
                        key = finding.Key,
                        text = finding.Text,
                        remedy = finding.Remedy,
                    }),
                    AsJson
                )
            );
        }
        else
        {
            foreach (var finding in findings)
            {
                Console.WriteLine(finding);
            }
            Console.WriteLine(
                $"{findings.Count(finding => finding.Level == Level.Fault)} faults, {findings.Count(finding => finding.Level == Level.Warning)} warnings"
            );
        }
        return (int)findings.Max(finding => finding.Level);
    }

    /// <summary>Everything, in the order in which it is checked.</summary>
    internal static async Task<List<Finding>> ExamineAsync(WebApplicationBuilder builder, string? given)
    {
        var findings = new List<Finding> { Finding.Ok("program", ProgramVersion.Line) };
        var wrong = StartChecks.Find(builder, OptionsRegistry.Of(Modules.All), withDatabaseAndKeys: given is null);
        findings.AddRange(
            wrong.Select(sentence =>
                Finding.Fault("settings", sentence.Split(' ', 2)[0], sentence.Split(' ', 2)[^1], "correct the setting; the server refuses to start with it")
            )
        );
        if (wrong.Count > 0)
        {
            // Nothing else can be checked with settings that cannot be read.
            return findings;
        }
        findings.Add(Finding.Ok("settings", "every setting is known and readable"));
        findings.AddRange(SettingChecks.Examine(builder));
        var hasNoOwner = Installation.HasAdminAddressOnly(builder, given);
        if (!hasNoOwner && given is null && !Installation.HasInstallation(builder))
        {
            findings.Add(
                Finding.Fault(
                    "database",
                    "Server:DataDirectory",
                    $"there is no private PostgreSQL in {Path.GetFullPath(Installation.PrivateHome(builder))}",
                    "name the folder that run was given (--data), or set Database:ConnectionString"
                )
            );
            return findings;
        }
        try
        {
            await (hasNoOwner ? AskAsync(builder, null, findings) : Installation.WithOwnerAsync(builder, given, owner => AskAsync(builder, owner, findings)));
        }
        catch (Exception error) when (Installation.IsForTheOperator(error))
        {
            findings.Add(Finding.Fault("database", "Database:ConnectionString", error.Message, "start PostgreSQL, or correct its address"));
        }
        return findings;
    }

    private static async Task<bool> AskAsync(WebApplicationBuilder builder, string? owner, List<Finding> findings)
    {
        var facts = await DatabaseChecks.ReadAsync(builder, owner, findings);
        if (facts is not null)
        {
            findings.AddRange(DatabaseChecks.Examine(builder, facts));
            findings.AddRange(await StorageChecks.ExamineAsync(builder, facts));
            findings.AddRange(await AddressChecks.ExamineAsync(builder, facts));
        }
        return true;
    }
}
