using Npgsql;
using Reelbase.Server.Features.GenerateVideo.Queue;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.VideoLibrary;

/// <summary>
/// What a caller's job is now. Asked far more often than anything else, so the usual case is one statement that needs no change of role: <c>find_job_status</c> takes the
/// verified user and session, and answers only when both are in order and the job is theirs.
/// </summary>
public sealed class JobStatuses(ApiDatabase database, QueueMemory queues)
{
    /// <summary>One job of the caller.</summary>
    /// <exception cref="PostgresException">RB001: nobody's account, a ban, an ended session, no such job.</exception>
    public async Task<JobRow> ReadAsync(Caller caller, Guid jobId, CancellationToken cancellationToken)
    {
        if (caller is { UserId: { } userId, SessionId: { } sessionId })
        {
            var known = queues.Current;
            var found = await database.ReadAsync(
                "select * from find_job_status($1, $2, $3, $4)",
                row => Read(row, known),
                cancellationToken,
                new NpgsqlParameter<Guid> { TypedValue = userId },
                new NpgsqlParameter<Guid> { TypedValue = sessionId },
                new NpgsqlParameter<Guid> { TypedValue = jobId },
                new NpgsqlParameter<string[]> { TypedValue = known.Providers }
            );
            if (found is [var job])
            {
                return job;
            }
        }
        // An account that was merged, a caller without a session, and whoever is to be refused.
        return (await database.QuerySingleOrDefaultAsync<JobRow>(caller, "select * from get_job_status($1)", cancellationToken, jobId))!;
    }

    private JobRow Read(NpgsqlDataReader row, QueueMemory.Known known)
    {
        var position = row.IsDBNull(8) ? (int?)null : row.GetInt32(8);
        var seconds = row.IsDBNull(17) ? (int?)null : row.GetInt32(17);
        if (!row.IsDBNull(18))
        {
            queues.NoteAsked();
            // Read again: the statement may have waited for a connection.
            if (queues.Current is var newer && newer.Providers.Contains(row.GetString(18)))
            {
                known = newer;
            }
            if (position is null && !row.IsDBNull(20) && row.GetInt64(20) > 0 && row.GetString(18) is var provider && known.Providers.Contains(provider))
            {
                position = known.Position(provider, row.GetString(19), row.GetInt64(20));
            }
            if (position is { } place)
            {
                // As estimate_job_seconds says it.
                seconds = (int)Math.Ceiling(row.GetDecimal(21) * (1 + (place + 1) / Math.Max(row.GetInt32(22), 1)));
            }
        }
        return new(
            row.GetGuid(0),
            row.GetString(1),
            row.GetString(2),
            row.GetString(3),
            row.GetInt32(4),
            Text(row, 5),
            Text(row, 6),
            Text(row, 7),
            position,
            row.GetDateTime(9),
            row.IsDBNull(10) ? null : row.GetDateTime(10),
            Text(row, 11),
            row.IsDBNull(12) ? null : row.GetDecimal(12),
            row.IsDBNull(13) ? null : row.GetInt32(13),
            row.IsDBNull(14) ? null : row.GetInt32(14),
            row.IsDBNull(15) ? null : row.GetDecimal(15),
            row.IsDBNull(16) ? null : row.GetBoolean(16),
            seconds
        );
    }

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
