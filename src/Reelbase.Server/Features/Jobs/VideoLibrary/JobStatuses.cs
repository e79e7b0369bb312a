using Npgsql;
using Reelbase.Server.Features.Jobs.Queue;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;

namespace Reelbase.Server.Features.Jobs.VideoLibrary;

/// <summary>
/// What a caller's job is now. Asked far more often than anything else, so the usual case needs no change of role (<c>find_job_status</c> takes the verified user and session, and
/// answers only when both are in order and the job is theirs), and who asks while others are answered goes together with them in the next statement.
/// </summary>
public sealed class JobStatuses
{
    /// <summary>As many statements as keep two cores of PostgreSQL busy; more would be smaller ones.</summary>
    private const int MaxUnderWay = 4;
    private const int MaxWaiting = 20_000;

    private readonly ApiDatabase _database;
    private readonly QueueMemory _queues;
    private readonly GroupedCalls<Question, JobRow?> _calls;

    public JobStatuses(ApiDatabase database, QueueMemory queues)
    {
        (_database, _queues) = (database, queues);
        _calls = new(FindAsync, MaxUnderWay, MaxWaiting);
    }

    /// <summary>One job of the caller.</summary>
    /// <exception cref="PostgresException">RB001: nobody's account, a ban, an ended session, no such job.</exception>
    /// <exception cref="ApiException">ERR_6001: so many wait already that none is taken.</exception>
    public async Task<JobRow> ReadAsync(Caller caller, Guid jobId, CancellationToken cancellationToken)
    {
        if (caller is { UserId: { } userId, SessionId: { } sessionId })
        {
            var asked = _calls.TryAsk(new(userId, sessionId, jobId), cancellationToken) ?? throw new ApiException(ErrorCodes.DatabaseUnavailable);
            if (await asked is { } job)
            {
                return job;
            }
        }
        // An account that was merged, a caller without a session, and whoever is to be refused.
        return (await _database.QuerySingleOrDefaultAsync<JobRow>(caller, "select * from get_job_status($1)", cancellationToken, jobId))!;
    }

    private async Task<IReadOnlyList<JobRow?>> FindAsync(IReadOnlyList<Question> questions)
    {
        var known = _queues.Current;
        var (users, sessions, jobs) = (new Guid[questions.Count], new Guid[questions.Count], new Guid[questions.Count]);
        for (var at = 0; at < questions.Count; at++)
        {
            (users[at], sessions[at], jobs[at]) = questions[at];
        }
        var found = new JobRow?[questions.Count];
        await _database.ReadAsync(
            "select * from find_job_status($1, $2, $3, $4)",
            row => found[row.GetInt32(0) - 1] = Read(row, known),
            // Others may be in it, whoever leaves.
            CancellationToken.None,
            new NpgsqlParameter<Guid[]> { TypedValue = users },
            new NpgsqlParameter<Guid[]> { TypedValue = sessions },
            new NpgsqlParameter<Guid[]> { TypedValue = jobs },
            new NpgsqlParameter<string[]> { TypedValue = known.Providers }
        );
        return found;
    }

    private JobRow Read(NpgsqlDataReader row, QueueMemory.Known known)
    {
        var position = row.IsDBNull(9) ? (int?)null : row.GetInt32(9);
        var seconds = row.IsDBNull(18) ? (int?)null : row.GetInt32(18);
        if (!row.IsDBNull(19))
        {
            _queues.NoteAsked();
            // Read again: the statement may have waited for a connection.
            if (_queues.Current is var newer && newer.Providers.Contains(row.GetString(19)))
            {
                known = newer;
            }
            if (position is null && !row.IsDBNull(21) && row.GetInt64(21) > 0 && row.GetString(19) is var provider && known.Providers.Contains(provider))
            {
                position = known.Position(provider, row.GetString(20), row.GetInt64(21));
            }
            if (position is { } place)
            {
                // As estimate_job_seconds says it.
                seconds = (int)Math.Ceiling(row.GetDecimal(22) * (1 + (place + 1) / Math.Max(row.GetInt32(23), 1)));
            }
        }
        return new(
            row.GetGuid(1),
            row.GetString(2),
            row.GetString(3),
            row.GetString(4),
            row.GetInt32(5),
            Text(row, 6),
            Text(row, 7),
            Text(row, 8),
            position,
            row.GetDateTime(10),
            row.IsDBNull(11) ? null : row.GetDateTime(11),
            Text(row, 12),
            row.IsDBNull(13) ? null : row.GetDecimal(13),
            row.IsDBNull(14) ? null : row.GetInt32(14),
            row.IsDBNull(15) ? null : row.GetInt32(15),
            row.IsDBNull(16) ? null : row.GetDecimal(16),
            row.IsDBNull(17) ? null : row.GetBoolean(17),
            seconds
        );
    }

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private readonly record struct Question(Guid UserId, Guid SessionId, Guid JobId);
}
