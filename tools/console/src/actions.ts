// What an operator does to one transaction.

import { act, paths } from "./api";

export function retryOne(gid: string, reason: string): Promise<unknown> {
  return act("POST", paths.retryOne, { body: { gid }, reason });
}

export function stopOne(gid: string, reason: string): Promise<unknown> {
  return act("POST", paths.stopOne, { body: { gid }, reason });
}

export interface BranchChoice {
  gid: string;
  branchId: string;
  op: string;
}

export function skipBranch(choice: BranchChoice, reason: string): Promise<unknown> {
  return act("POST", paths.skip, { body: { ...choice, reason }, reason });
}

export interface BranchChange extends BranchChoice {
  url?: string;
  payload?: string;
}

export function editBranch(change: BranchChange, reason: string): Promise<unknown> {
  return act("POST", paths.edit, { body: { ...change, reason }, reason });
}
