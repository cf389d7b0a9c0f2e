export interface ReplyStore {
  readonly shared: boolean;
}
