using System.Diagnostics.Metrics;
using Npgsql;
using Polly;

namespace Reelbase.Server.Platform.Work;

/// <summary>What goes wrong in the background: counted and logged in one way, whatever its type, because no loop ends over it.</summary>
internal static class WorkFailures
{
    private static readonly Meter Meter = new("Reelbase.Work");
    private static readonly Counter<long> Failures = Meter.CreateCounter<long>(
        "reelbase.work.failures",
        "{failure}",
        "Rounds and items of background work that ended with an error, by worker and step"
    );

    /// <summary>Notes a failure. What passes with time is a line; anything else comes with its stack, since somebody has to read it.</summary>
    public static void Note(ILogger logger, string worker, string step, Exception error)
    {
        Failures.Add(1, new("worker", worker), new KeyValuePair<string, object?>("step", step));
        if (
            error
            is NpgsqlException
                and not PostgresException { IsTransient: false }
                or TimeoutException
                or ExecutionRejectedException
                or HttpRequestException
                or IOException
        )
        {
            logger.LogWarning("{Worker} could not {Step} ({Reason}); retrying", worker, step, error.Message);
        }
        else
        {
            logger.LogError(error, "{Worker} could not {Step}; retrying", worker, step);
        }
    }
}
