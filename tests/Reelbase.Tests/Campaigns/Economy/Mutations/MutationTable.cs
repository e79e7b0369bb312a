namespace Reelbase.Tests.Campaigns.Economy.Mutations;

/// <summary>Every fault that the model has to see, one at a time.</summary>
public static class MutationTable
{
    private static readonly Patch NoJobCheck = new(
        "alter table video_jobs drop constraint video_jobs_credits_check, drop constraint video_jobs_failed_returned_check"
    );

    /// <summary>Faults that took hundreds of histories or more: only a whole campaign has the time for them.</summary>
    public static readonly HashSet<string> Slow =
    [
        "a webhook's failure ends a job that is finished",
        "a merge leaves the guest's keys behind",
        "a refund that is reversed is not given back",
        "any token stores a video",
        "a webhook's failure ends a job whose video is being fetched",
        "attempt 1's failure ends attempt 2",
        "attempt 1's video is taken for attempt 2's",
        "a stale worker's rejection counts",
    ];

    public static readonly IReadOnlyList<Mutation> All =
    [
        // A job's ledger.
        new(
            "job",
            "support's refund does not check what is left",
            new Patch("admin_refund_credits", "if v_amount > v_job.credits_charged - v_job.credits_returned then", "if false then")
        ),
        new(
            "job",
            "ending a job gives the whole charge back, whatever was returned",
            new Patch("return_job_credits", "least(p_amount, v_job.credits_charged - v_job.credits_returned)", "coalesce(p_amount, v_job.credits_charged)")
        ),
        new(
            "job",
            "the same, and the CHECKs are dropped",
            NoJobCheck,
            new Patch("return_job_credits", "least(p_amount, v_job.credits_charged - v_job.credits_returned)", "coalesce(p_amount, v_job.credits_charged)")
        ),
        new(
            "job",
            "a failed job gives nothing back, and the CHECKs are dropped",
            NoJobCheck,
            new Patch("end_video_job", "perform return_job_credits(p_job.job_id, 'generation_failed_refund');", "")
        ),
        new("job", "a webhook's failure ends a job that is finished", new Patch("record_video_failure", "if v_job.stage = 'finished' or (", "if (")),
        new(
            "job",
            "a retry is a gift",
            new Patch("admin_retry_job", "perform write_admin_action(", "perform write_ledger(v_user.id, 4, 'admin_refund');\n  perform write_admin_action(")
        ),
        new(
            "job",
            "a retry is charged to the user",
            new Patch("insert_video_job", "case when p_retry_of is null then p_cost else 0 end", "case when p_retry_of is null then p_cost else 4 end"),
            new Patch("alter table video_jobs drop constraint video_jobs_paid_by_house_check")
        ),
        new(
            "job",
            "deleting refunds a job that is with its provider",
            new Patch("erase_video_job", "if v_job.stage = 'queued' then", "if v_job.stage <> 'finished' then")
        ),
        new("job", "deleting does not refund a job in the queue", new Patch("erase_video_job", "perform fail_video_job(p_job_id, null, null, null);", "")),
        new(
            "job",
            "cancelling refunds and leaves the job running",
            new Patch(
                "admin_cancel_job",
                "if v_job.stage = 'queued' then",
                "perform return_job_credits(v_id, 'admin_refund');\n  if v_job.stage = 'queued' then"
            )
        ),
        new(
            "job",
            "an imported refund is written a second time",
            new Patch(
                "return_job_credits",
                "if coalesce(v_amount, 0) <= 0 or",
                "if v_job.attempt = 0 and v_job.stage = 'ambiguous' then v_amount := v_job.credits_charged; end if;\n  if coalesce(v_amount, 0) <= 0 or"
            )
        ),
        new(
            "job",
            "the cleanup deletes jobs that have not ended",
            new Patch("clean_up_videos", "where j.stage = 'finished' and j.deleted_at is null", "where j.deleted_at is null")
        ),
        // Presses and balances.
        new(
            "press",
            "a repeated key is charged again",
            new Patch("generate_video", "if v_now.has_answer then", "if false then"),
            new Patch("keep_answer", "where l.expires_at <= now()", "")
        ),
        new(
            "press",
            "another request under the key of an earlier one gets its answer",
            new Patch("find_replay", "if v_stored.request_hash <> p_hash then", "if false then")
        ),
        new("press", "the balance is not checked", new Patch("generate_video", "if v_user.credits_remaining < v_cost then", "if false then")),
        new(
            "press",
            "a press charges one credit less than it says",
            new Patch("insert_video_job", "write_ledger(p_user_id, -v_charge,", "write_ledger(p_user_id, 1 - v_charge,")
        ),
        new(
            "balance",
            "refunds raise the lifetime total",
            new Patch(
                "write_ledger",
                "in ('initial_grant', 'iap_purchase', 'admin_adjustment', 'promo_code')",
                "in ('initial_grant', 'iap_purchase', 'admin_adjustment', 'promo_code', 'generation_failed_refund', 'admin_refund')"
            )
        ),
        new(
            "balance",
            "an adjustment may go below zero",
            new Patch("admin_adjust_credits", "v_user.credits_remaining + v_amount < 0", "false"),
            new Patch("alter table quota_log drop constraint quota_log_balance_check")
        ),
        new(
            "balance",
            "negative amounts are added",
            new Patch("add_credits", "p_amount is null or p_amount <= 0", "p_amount is null"),
            new Patch("alter table quota_log drop constraint quota_log_balance_check")
        ),
        new("balance", "negative amounts are deducted", new Patch("deduct_credits", "p_amount is null or p_amount <= 0", "p_amount is null")),
        new(
            "balance",
            "a merge has one side",
            new Patch("on_account_merged_credits", "perform write_ledger(p_guest_id, -v_credits, 'merge', null, null, p_member_id::text);", "")
        ),
        new(
            "balance",
            "a merge leaves the guest's keys behind",
            new Patch(
                "move_request_logs",
                "update idempotency_log g set user_id = p_to_user_id where g.user_id = p_from_user_id",
                "update idempotency_log g set user_id = p_to_user_id where false"
            )
        ),
        new(
            "balance",
            "a repeated key of support does it again",
            new Patch("find_replay", "select * into v_stored from internal.stored_answer(p_user_id, p_key);", ""),
            new Patch("keep_answer", "where l.expires_at <= now()", "")
        ),
        new("balance", "banned users go on", new Patch("require_caller", "if v_banned_at is not null then", "if false then")),
        // Purchases.
        new(
            "purchase",
            "the refund of an imported purchase takes nothing back",
            new Patch("settle_purchase", "perform adopt_purchase(p_environment, p_transaction_id);", "")
        ),
        new(
            "purchase",
            "a purchase of an unknown product is forgotten",
            new Patch(
                "record_transaction",
                "insert into purchases (",
                "if v_product.product_id is null then return '{\"outcome\":\"unknown_product\",\"credits_added\":0}'; end if;\n  insert into purchases ("
            )
        ),
        new("purchase", "a product that is saved credits nobody", new Patch("admin_save_product", "and p.revoked_percentage < 100000", "and false")),
        new("purchase", "premium survives a refund", new Patch("purchased_tier", "p.revoked_percentage < 100000", "true")),
        new(
            "purchase",
            "a credited purchase moves to another reporter",
            new Patch("purchase_owner", "select coalesce(", "select coalesce(account_of(p_user_id),")
        ),
        new(
            "purchase",
            "a token that names somebody dead counts",
            new Patch("purchase_owner", "where a.id = account_of(p_account_token) and a.deleted_at is null", "where a.id = account_of(p_account_token)")
        ),
        new(
            "purchase",
            "who reports it is credited before whom the app named",
            new Patch(
                "purchase_owner",
                "(select a.id from users a where a.id = account_of(p_account_token) and a.deleted_at is null),",
                "(select a.id from users a where a.id = coalesce(account_of(p_user_id), account_of(p_account_token)) and a.deleted_at is null),"
            )
        ),
        new(
            "purchase",
            "the order of arrival decides and not Apple's",
            new Patch("record_transaction", "if v_signed_at > v_purchase.signed_at or", "if true or")
        ),
        new(
            "purchase",
            "a refund that is reversed is not given back",
            new Patch(
                "settle_purchase",
                "perform write_ledger(v_owner, v_purchase.credits_taken_back - v_target, 'apple_refund_reversed',",
                "perform 1; perform concat(v_owner, v_purchase.credits_taken_back - v_target, 'apple_refund_reversed',"
            )
        ),
        new(
            "purchase",
            "a partial refund takes everything back",
            new Patch(
                "settle_purchase",
                "v_target := v_purchase.credits::bigint * v_purchase.revoked_percentage / 100000;",
                "v_target := case when v_purchase.revoked_percentage > 0 then v_purchase.credits else 0 end;"
            )
        ),
        new(
            "purchase",
            "support gives away a purchase that is somebody's",
            new Patch("admin_assign_purchase", "if v_owner <> v_user.id then", "if false then")
        ),
        // Fences.
        new("fence", "any token stores a video", new Patch("complete_video_job", "leased_by = p_leased_by", "p_leased_by is not null")),
        new(
            "fence",
            "a token is its process's and not its claim's",
            new Patch(
                "fail_video_job",
                "v_job.leased_by is distinct from p_leased_by",
                "split_part(v_job.leased_by, '/', 2) is distinct from split_part(p_leased_by, '/', 2)"
            )
        ),
        new(
            "fence",
            "a stale worker fails a job",
            new Patch("fail_video_job", "(p_leased_by is not null and v_job.leased_by is distinct from p_leased_by)", "false")
        ),
        new(
            "fence",
            "a stale worker gives a job back",
            new Patch("reschedule_video_job", "leased_by = p_leased_by and stage = p_stage", "leased_by is not null and stage = p_stage")
        ),
        new("fence", "a stale worker begins a submission", new Patch("begin_submission", "j.leased_by = p_leased_by", "p_leased_by is not null")),
        new("fence", "a lease is taken while it goes on", new Patch("claim_video_jobs", "(j.lease_until is null or j.lease_until < v_now)", "true")),
        new(
            "fence",
            "a webhook's failure ends a job whose video is being fetched",
            new Patch("record_video_failure", "or (p_leased_by is null and v_job.stage = 'fetching') then", "then")
        ),
        new("fence", "attempt 1's failure ends attempt 2", new Patch("record_video_failure", "if v_submission.attempt <> v_job.attempt then", "if false then")),
        new("fence", "attempt 1's video is taken for attempt 2's", new Patch("record_video_success", "if v_submission.attempt <> v_job.attempt or", "if")),
        new("fence", "a failure does not check the stage it is about", new Patch("record_video_failure", "or v_job.stage <> p_stage)", ")")),
        new(
            "fence",
            "a stale worker's failure counts",
            new Patch("record_video_failure", "(v_job.leased_by is distinct from p_leased_by or v_job.stage <> p_stage)", "v_job.stage <> p_stage")
        ),
        new("fence", "a stale poller's video counts", new Patch("record_video_success", "or v_job.leased_by is distinct from p_leased_by", "")),
        new("fence", "a stale worker's refusal counts", new Patch("record_submission_refused", "or v_job.leased_by is distinct from p_leased_by", "")),
        new("fence", "a stale worker's rejection counts", new Patch("record_submission_rejected", "or v_job.leased_by is distinct from p_leased_by", "")),
        new(
            "fence",
            "an accepted submission is taken from the claim that works on it",
            new Patch("record_submission_accepted", "and (leased_by is null or leased_by = p_leased_by or lease_until < clock_timestamp())", "")
        ),
        new("fence", "an event is carried out by two claims", new Patch("apply_webhook_delivery", "leased_by = p_leased_by and status = 'pending'", "true")),
        new("fence", "anybody may give a job up", new Patch("give_up_video_job", "or v_job.leased_by is distinct from p_leased_by then", "then")),
        new(
            "fence",
            "the turn for grants is not fenced",
            new Patch(
                "holds_device_grant_turn",
                "where name = 'device_grant' and leased_by = p_leased_by and lease_until > clock_timestamp()",
                "where name = 'device_grant'"
            ),
            new Patch("record_device_answer", "leased_by = p_leased_by and ", ""),
            new Patch("grant_initial_credits", "leased_by = p_leased_by and ", ""),
            new Patch("record_device_bit_set", "leased_by = p_leased_by and ", "")
        ),
        new(
            "fence",
            "a lost turn still rejects a grant",
            new Patch("reject_device_grant", "if not holds_device_grant_turn(p_leased_by) then", "if false then"),
            new Patch("reject_device_grant", "if v_grant.id is null then\n    return false;", "if v_grant.id is null then\n    return true;")
        ),
        new(
            "fence",
            "two hold the turn for grants at once",
            new Patch("claim_device_grant", "and (lease_until is null or lease_until < clock_timestamp())", "")
        ),
    ];
}
