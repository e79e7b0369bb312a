using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Accounts;

/// <summary>What holds for AI consent; <c>select consent_rule()</c> answers it at any time.</summary>
public sealed record ConsentRuleState(
    string State,
    bool IsRequired,
    DateTime? ExemptUntil,
    string? Version,
    IReadOnlyList<string> Recipients,
    IReadOnlyList<string> ModelsWithoutVendor
);

/// <summary>Decides at start whether generations need consent, before anybody is served, and says so in a line; later it says what has changed.</summary>
public sealed class ConsentRule(ApiDatabase database, IOptions<ConsentOptions> options, IHostEnvironment environment, ILogger<ConsentRule> logger)
    : PeriodicWork(logger),
        IBeforeReady
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private bool _isDecided;
    private string? _said;

    /// <inheritdoc/>
    protected override TimeSpan Pause => Minute;

    /// <inheritdoc/>
    protected override bool BeginsWithPause => true;

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await RunOnceAsync(cancellationToken);
        }
        catch (NpgsqlException error)
        {
            // What was decided before holds, and the next round decides.
            logger.LogWarning(error, "Whether generations need consent could not be decided at start");
        }
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        var text = _isDecided
            ? await database.ScalarAsync<string>("select consent_rule()::text", stoppingToken)
            : await database.ScalarAsync<string>(
                "select announce_consent_rule($1, $2, $3::timestamptz)::text",
                stoppingToken,
                options.Value.Ai,
                environment.IsProduction(),
                options.Value.ShippedBuildsExemptUntil?.UtcDateTime
            );
        _isDecided = true;
        var line = Describe(JsonSerializer.Deserialize<ConsentRuleState>(text!, Json.Options)!);
        if (line != _said)
        {
            logger.LogInformation("{Rule}", line);
            _said = line;
        }
    }

    /// <summary>One line for a log or the doctor.</summary>
    public static string Describe(ConsentRuleState rule) =>
        rule.State switch
        {
            "on" => $"AI consent: required (version {rule.Version}); generate-video answers ERR_4013 without it"
                + (rule.ExemptUntil is { } until ? $"; shipped builds are exempt until {until:u}" : "")
                + (
                    rule.ModelsWithoutVendor.Count > 0
                        ? $"; nobody knows whose models these are, so no text names them: {string.Join(", ", rule.ModelsWithoutVendor)} (admin-save-model, vendor)"
                        : ""
                ),
            "off" =>
                "AI consent: not required, as jobs were accepted before it could be asked or Consent:Ai is off; App Review (5.1.2(i)) asks for it: set Consent:Ai to required",
            _ => "AI consent: not required in Development; a new installation in Production requires it (Consent:Ai)",
        };
}
